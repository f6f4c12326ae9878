"""What values the options take, and how one that is none is told."""

from __future__ import annotations

import pytest
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.options.file import File, parse
from framebus.options.option import Option, Scope
from framebus.options.table import TABLE

NUMBERS = ("max_viewers", "max_viewers_per_address")
WRONG: dict[str, tuple[str, ...]] = {
    "name": ("../x", "Bad Name"),
    "cameras": ("A B",),
    "size": ("720p", "0x10"),
    "fps": ("fast", "0", "-3", "nan", "1001"),
    "ring_size": ("1", "lots"),
    "log_level": ("loud",),
    "idle_after": ("-1", "nan", "86401", "25h", "soon", "60 seconds", ""),
    "idle_fps": ("0", "-1", "1001", "nan", "few"),
    "frozen_after": ("-1", "nan", "86401", "soon"),
    "end_holder": ("perhaps",),
    "pure_python": ("rather",),
    "power_ports": ("all", "1-1/../2"),
    "workers": ("0", "-1", "65", "many", "1.5", "٣", "9" * 5000, ""),
    **dict.fromkeys(NUMBERS, ("-1", "all", "1000001", "9" * 5000, "")),
    **dict.fromkeys(("max_rate", "max_rate_per_address"), ("fast", "-1", "1.5M", "")),
    "io_uring": ("on", "AUTO", ""),
    "view": ("everybody",),
    "control": ("open",),
    "allow_host": ("http://x/",),
    "trusted_proxy": ("proxy",),
    "password_file": ("",),
    "certfile": ("",),
    "keyfile": ("",),
}
ANYTHING = {"config", "source", "fallback_source", "control_group", "bind"}
"""What only its user can tell to be wrong."""
KNOWN = {option.name: option for option in TABLE}


def test_every_option_has_values_that_are_wrong_or_is_known_to_have_none() -> None:
    assert set(WRONG) | ANYTHING == set(KNOWN)
    assert not set(WRONG) & ANYTHING


@pytest.mark.parametrize(
    ("option", "text"), [(KNOWN[name], text) for name, texts in WRONG.items() for text in texts]
)
def test_a_wrong_value_says_where_it_stands_and_what_is_right(
    option: Option[object], text: str
) -> None:
    """As a flag, a variable and a key of the file, for all cameras and for one."""
    places = [
        (Chosen({option.name: text}), option.flag),
        (Chosen({option.name: text}, variables=frozenset({option.name})), option.variable),
        (Chosen(file=File({option.name: text}, {}, "my.toml")), f"my.toml: {option.name}"),
    ]
    if option.scope is Scope.CAPTURE:
        file = File({}, {"front": {option.name: text}}, "my.toml")
        where = f"my.toml: [camera.front]: {option.name}"
        places.append((Chosen(file=file, camera="front"), where))
    for chosen, where in places:
        with pytest.raises(UsageError) as error:
            chosen.check(*Scope)
        assert str(error.value).startswith(f"{where}: ")
        assert len(str(error.value)) > len(where) + len(repr(text)) + 10


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "trusted_proxy",
            "10.0.0.1,10.0.0.2",
            "'unix' for bind unix:PATH; spaces separate several",
        ),
        ("cameras", "a,b", "a letter or a digit; spaces separate several"),
        ("power_ports", "1-1 1-2", "named like 1-1.2; commas separate several"),
        ("power_ports", "1-1, all", "named like 1-1.2"),
    ],
)
def test_what_separates_several_is_told_to_who_has_it_wrong(
    name: str, text: str, told: str
) -> None:
    with pytest.raises(UsageError) as error:
        KNOWN[name].kind.parse(text)
    assert str(error.value).endswith(told)


def test_a_value_that_does_not_fit_is_named_with_file_table_and_key() -> None:
    file = parse("[camera.front]\nfps = -3", "my.toml")
    with pytest.raises(UsageError) as error:
        Chosen(file=file).of_camera("front").check(Scope.CAPTURE)
    assert str(error.value) == (
        "my.toml: [camera.front]: fps: '-3' is no frame rate: write frames a second, over 0 and at "
        "most 1000"
    )
    Chosen(file=file).of_camera("back").check(*Scope)  # another camera's daemon goes on


def test_a_number_of_the_file_is_taken_to_its_last_digit() -> None:
    assert Chosen(file=parse("fps = 59.94005994", "my.toml"))[KNOWN["fps"]] == 59.94005994


def test_a_flag_wins_over_a_wrong_value_of_the_file() -> None:
    file = parse("fps = -3", "my.toml")
    assert Chosen({"fps": "5"}, file)[KNOWN["fps"]] == 5.0


def test_every_default_is_a_value_that_its_kind_takes_or_nothing() -> None:
    for option in TABLE:
        if option.default not in (None, ()):
            text = option.kind.text(option.default)
            assert option.kind.parse(text) == option.default, option.name


def test_what_was_chosen_is_the_same_through_the_environment() -> None:
    given = {
        "workers": "2",
        "max_rate": "100M",
        "allow_host": ("a.example", "b.example"),
        "name": "front",
    }
    again = Chosen.from_environ(Chosen(given).to_environ(*Scope))
    for option in TABLE:
        assert again[option] == Chosen(given)[option]
