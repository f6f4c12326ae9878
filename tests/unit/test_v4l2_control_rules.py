from __future__ import annotations

import pytest
from framebus.errors import UsageError
from linuxpy.video.raw import ControlID

from capture_daemon.v4l2.control_rules import Control, number, plan, slug

BRIGHTNESS = Control(ControlID.BRIGHTNESS, "brightness", "Brightness", "integer", -64, 64, 1, 0)
CONTRAST = Control(ControlID.CONTRAST, "contrast", "Contrast", "integer", 0, 64, 4, 32)
AUTO = Control(
    ControlID.EXPOSURE_AUTO,
    "auto_exposure",
    "Auto Exposure",
    "menu",
    0,
    3,
    1,
    3,
    menu={1: "Manual Mode", 3: "Aperture Priority Mode"},
)
EXPOSURE = Control(
    ControlID.EXPOSURE_ABSOLUTE,
    "exposure_time_absolute",
    "Exposure Time, Absolute",
    "integer",
    1,
    5000,
    1,
    157,
    flags=frozenset({"inactive"}),
)
WHITE = Control(
    ControlID.AUTO_WHITE_BALANCE,
    "white_balance_automatic",
    "White Balance, Automatic",
    "boolean",
    0,
    1,
    1,
    1,
)
TEMPERATURE = Control(
    ControlID.WHITE_BALANCE_TEMPERATURE,
    "white_balance_temperature",
    "White Balance Temperature",
    "integer",
    2800,
    6500,
    10,
    4600,
    flags=frozenset({"inactive"}),
)
FIXED = Control(1, "fixed", "Fixed", "integer", 0, 1, 1, 0, flags=frozenset({"read-only"}))
BUSY = Control(2, "busy", "Busy", "integer", 0, 1, 1, 0, flags=frozenset({"grabbed"}))
ODD = Control(3, "odd", "Odd", "integer", 0, 1, 1, 0, flags=frozenset({"inactive"}))
BUTTON = Control(4, "reset", "Reset", "button", 0, 0, 0, 0)
ALL = [BRIGHTNESS, CONTRAST, AUTO, EXPOSURE, WHITE, TEMPERATURE, FIXED, BUSY, ODD, BUTTON]


def test_slug_is_what_other_tools_call_a_control() -> None:
    assert slug("Exposure Time, Absolute") == "exposure_time_absolute"
    assert slug("White Balance, Automatic") == "white_balance_automatic"


def test_governing_control_comes_before_what_it_governs() -> None:
    steps = plan(ALL, {"exposure_time_absolute": 200, "auto_exposure": "manual mode"})
    assert [(control.name, value) for control, value in steps] == [
        ("auto_exposure", 1),
        ("exposure_time_absolute", 200),
    ]


def test_control_may_be_named_by_its_number() -> None:
    assert plan(ALL, {str(int(ControlID.BRIGHTNESS)): 5}) == [(BRIGHTNESS, 5)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"brigthness": 1}, "did you mean 'brightness'"),
        ({"zzzz": 1}, "known are auto_exposure, brightness"),
        ({"brightness": 65}, "-64 to 64, not 65"),
        ({"brightness": -65}, "-64 to 64, not -65"),
        ({"brightness": "5"}, "-64 to 64, not '5'"),
        ({"brightness": True}, "-64 to 64, not True"),
        ({"brightness": 1.5}, "-64 to 64, not 1.5"),
        ({"brightness": None}, "-64 to 64, not None"),
        ({"contrast": 33}, "0 to 64 in steps of 4, not 33: 32 is the next below"),
        ({"auto_exposure": 2}, r"one of 1 \(Manual Mode\), 3 \(Aperture"),
        ({"auto_exposure": "fast"}, r"one of 1 \(Manual Mode\)"),
        ({"auto_exposure": True}, r"one of 1 \(Manual Mode\)"),
        ({"auto_exposure": [1]}, r"one of 1 \(Manual Mode\)"),
        ({"white_balance_automatic": 2}, "true or false, not 2"),
        ({"exposure_time_absolute": 5}, r"auto_exposure governs it: set auto_exposure to 1 \(Man"),
        ({"white_balance_temperature": 3000}, r"set white_balance_automatic to 0 \(off\)"),
        (
            {"white_balance_temperature": 3000, "white_balance_automatic": True},
            r"cannot be set together with white_balance_automatic",
        ),
        ({"fixed": 1}, "can only be read"),
        ({"busy": 1}, "cannot be set while the camera streams"),
        ({"odd": 1}, "an automatic control governs it"),
        ({"brightness": 1, str(int(ControlID.BRIGHTNESS)): 2}, "named twice"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_remedy(
    values: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        plan(ALL, values)


def test_values_become_the_drivers_numbers() -> None:
    assert number(WHITE, True) == 1
    assert number(WHITE, 0) == 0
    assert number(AUTO, 3) == 3
    assert number(AUTO, "Aperture Priority Mode") == 3
    assert number(BUTTON, None) == 0
    assert number(CONTRAST, 64) == 64


def test_empty_request_is_an_empty_plan() -> None:
    assert plan(ALL, {}) == []
