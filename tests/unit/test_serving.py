"""What the web tier's own options may say."""

from __future__ import annotations

import pytest
from framebus.cli import serving
from framebus.errors import UsageError

NUMBERS = ("max_viewers", "max_viewers_per_address")
WRONG = {
    "workers": ("0", "-1", "65", "many", "1.5", "٣", "9" * 5000, ""),
    **dict.fromkeys(NUMBERS, ("-1", "all", "1000001", "9" * 5000, "")),
    **dict.fromkeys(("max_rate", "max_rate_per_address"), ("fast", "-1", "1.5M", "")),
    "io_uring": ("on", "AUTO", ""),
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts]
)
def test_a_wrong_value_is_named_with_its_option_from_flag_and_file(name: str, text: str) -> None:
    for options, values in (({name: text}, {}), ({name: None}, {name: text})):
        with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}"):
            serving.check(options, values)


def test_right_values_and_none_pass_and_a_flag_wins_over_the_file() -> None:
    serving.check({}, {})
    serving.check(
        {"workers": "2", "max_viewers": "0", "max_rate": "100M", "io_uring": "off"},
        {"workers": 0, "max_rate_per_address": 1_000_000},
    )
