from __future__ import annotations

import click
import pytest
from framebus.cli import up
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.options.file import parse
from framebus.options.option import Scope
from framebus.options.table import TABLE

from capture_daemon.command import capture
from web_workers.command import web


def test_each_side_gets_its_own_options_and_only_those_that_were_given() -> None:
    given = {
        **{option.name: () if option.repeated else None for option in TABLE},
        "source": "auto",
        "fallback_source": "test",
        "fps": "30",
        "bind": ":80",
        "workers": "2",
        "config": "x.toml",
        "allow_host": ("a", "b"),
        "frozen_after": "5",
    }
    capture = up._command("capture_daemon", Scope.CAPTURE, given)
    web = up._command("web_workers", Scope.WEB, given)
    assert capture[-7:] == (
        "capture_daemon", "--config", "x.toml", "--fps", "30", "--frozen-after", "5",
    )  # fmt: skip
    assert web[-11:] == (
        "web_workers", "--config", "x.toml", "--bind", ":80", "--workers", "2",
        "--allow-host", "a", "--allow-host", "b",
    )  # fmt: skip


def test_up_web_and_capture_mean_the_same_by_the_options_that_they_have() -> None:
    def of(command: click.Command) -> dict[str | None, tuple[object, ...]]:
        known = [each for each in command.params if isinstance(each, click.Option)]
        return {
            each.name: (each.opts, each.envvar, each.metavar, each.help, each.multiple)
            for each in known
            if each.name != "check"
        }

    assert of(up.up) == {**of(web), **of(capture)}
    assert set(of(web)) & set(of(capture)) == {"name", "config", "pure_python"}


@pytest.mark.parametrize(
    ("text", "cameras"),
    [
        ("", ("camera",)),
        ('name = "front"', ("front",)),
        ("[camera.a]\n[camera.b]", ("a", "b")),
        ('cameras = ["b"]\n[camera.a]\n[camera.b]', ("b",)),
    ],
)
def test_cameras_are_those_of_the_file_unless_one_is_named(
    text: str, cameras: tuple[str, ...]
) -> None:
    file = parse(text, "x.toml")
    assert up._cameras(Chosen(file=file)) == cameras
    assert up._cameras(Chosen({"name": "mine"}, file)) == ("mine",)


def test_the_variable_for_cameras_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    file = parse("[camera.a]\n[camera.b]", "x.toml")
    monkeypatch.setenv("FRAMEBUS_CAMERAS", "b")
    assert up._cameras(Chosen(file=file)) == ("b",)
    assert up._cameras(Chosen({"name": "a"}, file)) == ("a",)
    monkeypatch.setenv("FRAMEBUS_CAMERAS", "b Front")
    with pytest.raises(UsageError, match="FRAMEBUS_CAMERAS: 'Front'"):
        up._cameras(Chosen(file=file))


def test_one_source_for_two_cameras_is_refused() -> None:
    file = parse("[camera.a]\n[camera.b]", "x.toml")
    with pytest.raises(UsageError, match="--name"):
        up._cameras(Chosen({"source": "test"}, file))


def test_children_mean_one_runtime_directory_and_one_list_of_cameras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", "")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/one:/run/two")
    environ = up._environ(("front", "garden"))
    assert environ["FRAMEBUS_RUNTIME_DIR"] == "/run/one"
    assert environ["FRAMEBUS_CAMERAS"] == "front garden"


def test_the_default_camera_of_the_page_is_the_files_name_where_that_is_one_of_them() -> None:
    file = parse('name = "b"\n[camera.a]\n[camera.b]', "x.toml")
    assert up._default(Chosen(file=file), ("a", "b")) == "b"
    assert up._default(Chosen(file=file), ("a",)) == "a"
