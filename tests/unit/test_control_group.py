"""The group that may command a daemon: by name, by number, and where there is none such."""

from __future__ import annotations

import grp
import os

import pytest
from click.testing import CliRunner
from framebus.errors import NoPermission, UsageError
from framebus.options.chosen import Chosen
from framebus.options.file import parse

from capture_daemon.command import capture
from capture_daemon.process import control_group


def test_a_control_group_is_a_name_or_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert control_group(Chosen()) == -1
    assert control_group(Chosen({"control_group": grp.getgrgid(0).gr_name})) == 0
    assert control_group(Chosen({"control_group": "61011"})) == 61011


def test_a_control_group_of_others_is_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoPermission, match="usermod"):
        control_group(Chosen({"control_group": "61011"}))


def test_a_group_that_there_is_not_is_named_with_its_place_and_remedy() -> None:
    file = parse("[camera.front]\ncontrol_group = 'nosuch'", "my.toml")
    with pytest.raises(UsageError, match="groupadd") as error:
        control_group(Chosen(file=file, camera="front"))
    assert str(error.value).startswith("my.toml: [camera.front]: control_group: ")
    with pytest.raises(UsageError, match="--control-group: there is no group '4294967295'"):
        control_group(Chosen({"control_group": "4294967295"}))


def test_a_check_of_the_options_looks_for_the_group() -> None:
    checked = CliRunner().invoke(capture, ["--check", "--control-group", "nosuch"])
    assert isinstance(checked.exception, UsageError)
