from __future__ import annotations

import click
import pytest
from framebus.cli import limits, sending, up
from framebus.errors import UsageError
from framebus.options.file import parse
from framebus.serving import access

from web_workers.command import web


def options(**given: str) -> dict[str, str | None]:
    names = {*up._CAPTURE_OPTIONS, *up._SOURCES, *up._WEB_OPTIONS}
    return {name: given.get(name) for name in names}


def test_each_side_gets_its_own_options_and_only_those_that_were_given() -> None:
    chosen = options(
        source="auto", fallback_source="test", fps="30", bind=":80", workers="2", config="x.toml"
    )
    capture = up._command("capture_daemon", up._CAPTURE_OPTIONS, chosen)
    web = up._command("web_workers", up._WEB_OPTIONS, chosen)
    assert capture[-5:] == ("capture_daemon", "--fps", "30", "--config", "x.toml")
    assert web[-7:] == (
        "web_workers", "--bind", ":80", "--workers", "2", "--config", "x.toml",
    )  # fmt: skip


def test_the_web_tier_gets_its_limits() -> None:
    chosen = options(max_viewers="200", max_rate="100M", max_viewers_per_address="9")
    assert up._command("web_workers", up._WEB_OPTIONS, chosen)[-6:] == (
        "--max-viewers", "200", "--max-viewers-per-address", "9", "--max-rate", "100M",
    )  # fmt: skip
    assert "--max-viewers" not in up._command("capture_daemon", up._CAPTURE_OPTIONS, chosen)


def test_up_and_web_mean_the_same_by_the_options_that_both_have() -> None:
    def shared(command: click.Command) -> list[tuple[object, ...]]:
        known = [each for each in command.params if isinstance(each, click.Option)]
        return [
            (each.opts, each.envvar, each.metavar, each.help, each.multiple)
            for each in known
            if each.name in (*limits.OPTIONS, *sending.OPTIONS, *access.OPTIONS)
        ]

    assert shared(up.up) == shared(web)
    assert len(shared(web)) == sum(map(len, (limits.OPTIONS, sending.OPTIONS, access.OPTIONS)))


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
    assert up._cameras(options(), file) == cameras
    assert up._cameras(options(name="mine"), file) == ("mine",)


def test_one_source_for_two_cameras_is_refused() -> None:
    file = parse("[camera.a]\n[camera.b]", "x.toml")
    with pytest.raises(UsageError, match="--name"):
        up._cameras(options(source="test"), file)


def test_children_mean_one_runtime_directory_and_one_default_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", "")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/one:/run/two")
    environ = up._environ(("front", "garden"))
    assert (environ["FRAMEBUS_RUNTIME_DIR"], environ["FRAMEBUS_NAME"]) == ("/run/one", "front")
    assert environ["FRAMEBUS_CAMERAS"] == "front garden", "and one list of cameras"
