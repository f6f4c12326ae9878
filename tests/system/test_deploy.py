"""The files of deploy/, each given to the program that it is for.

What stands in the way of that on a build machine is replaced, and nothing else: the installed
`framebus` of the units by the one of this environment, nginx's surroundings by a bare http block.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from framebus.names import PRIVILEGED_SOCKET
from framebus.options import file as config
from framebus.options.chosen import Chosen
from framebus.options.option import Scope
from framebus.options.table import BIND, FPS, RING_SIZE, SIZE
from framebus.serving import access, address

from tests.helpers.certificate import make_certificate

DEPLOY = Path(__file__).parents[2] / "deploy"
INSTALLED = "/opt/framebus/bin/framebus"
UNITS = ("framebus-capture@.service", "framebus-web.service")
HELPER = "framebus-privileged.service"
RULES = ("70-framebus.rules", "71-framebus-reset.rules")


def needs(program: str) -> str:
    """The path of a program, or skip the test that needs it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    return found or pytest.skip(f"{program} is not installed")


def output_of(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50
    )
    return done.returncode, done.stdout


def unit(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A copy of a unit that starts this environment's `framebus`, with further changes."""
    text = (DEPLOY / "systemd" / name).read_text()
    assert f"ExecStart={INSTALLED} " in text
    ours = Path(sys.executable).with_name("framebus")
    for old, new in ((INSTALLED, str(ours)), *changes):
        assert old in text
        text = text.replace(old, new)
    copy = tmp_path / name
    copy.write_text(text)
    return copy


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_the_units(name: str, tmp_path: Path) -> None:
    verify = [needs("systemd-analyze"), "verify", "--man=no"]
    assert output_of(*verify, unit(tmp_path, name)) == (0, "")


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize(
    "change",
    [("KillMode=mixed", "KillMode=sometimes"), ("Restart=always", "Rstart=always")],
)
def test_systemd_would_find_a_mistake(name: str, change: tuple[str, str], tmp_path: Path) -> None:
    verify = [needs("systemd-analyze"), "verify", "--man=no"]
    _, said = output_of(*verify, unit(tmp_path, name, change))
    assert change[1].partition("=")[0] in said or change[1].partition("=")[2] in said


@pytest.mark.parametrize("name", [*UNITS, HELPER])
def test_units_are_confined(name: str, tmp_path: Path) -> None:
    security = [needs("systemd-analyze"), "security", "--offline=yes", "--threshold=30"]
    copy = helper_unit(tmp_path) if name == HELPER else unit(tmp_path, name)
    code, said = output_of(*security, copy)
    assert code == 0, said


def helper_unit(tmp_path: Path) -> Path:
    """A copy of the helper's unit for this environment's Python, beside its socket's."""
    installed = INSTALLED.removesuffix("framebus") + "python"
    text = (DEPLOY / "systemd" / HELPER).read_text()
    assert f"ExecStart={installed} -P -m capture_daemon.privileged" in text
    copy = tmp_path / HELPER
    copy.write_text(text.replace(installed, sys.executable))
    socket = HELPER.replace(".service", ".socket")
    (tmp_path / socket).write_text((DEPLOY / "systemd" / socket).read_text())
    return copy


def test_systemd_finds_nothing_wrong_with_the_helper_and_its_socket(tmp_path: Path) -> None:
    copy = helper_unit(tmp_path)
    verify = [needs("systemd-analyze"), "verify", "--man=no"]
    assert output_of(*verify, copy, copy.with_suffix(".socket")) == (0, "")


def test_helper_listens_where_daemons_look_for_it() -> None:
    text = (DEPLOY / "systemd" / HELPER.replace(".service", ".socket")).read_text()
    assert f"ListenStream=%t/{PRIVILEGED_SOCKET.name}\n" in text
    assert PRIVILEGED_SOCKET.parent == Path("/run")


@pytest.mark.parametrize("name", UNITS)
def test_unit_starts_a_command_with_options_that_there_are(name: str) -> None:
    text = (DEPLOY / "systemd" / name).read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
    _, command, *options = line.removeprefix("ExecStart=").split()
    code, help_text = output_of(sys.executable, "-m", "framebus", command, "--help")
    assert code == 0, help_text
    assert all(f"{option} " in help_text for option in options if option.startswith("--"))


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="creates users in a directory of its own")
def test_users_and_runtime_directory_let_the_web_tier_read_and_only_daemons_write(
    tmp_path: Path,
) -> None:
    (tmp_path / "etc").mkdir()
    sysusers = DEPLOY / "systemd" / "sysusers-framebus.conf"
    tmpfiles = DEPLOY / "systemd" / "tmpfiles-framebus.conf"
    code, said = output_of(needs("systemd-sysusers"), f"--root={tmp_path}", sysusers)
    assert code == 0, said
    code, said = output_of(needs("systemd-tmpfiles"), "--create", f"--root={tmp_path}", tmpfiles)
    assert code == 0, said

    users = table(tmp_path / "etc" / "passwd")
    groups = table(tmp_path / "etc" / "group")
    members = {name: fields[-1].split(",") for name, fields in groups.items()}
    assert members["framebus"] == ["framebus-capture", "framebus-web"]
    assert members["framebus-control"] == ["framebus-capture"]
    assert members["video"] == ["framebus-capture"]
    status = (tmp_path / "run" / "framebus").stat()
    assert status.st_uid == int(users["framebus-capture"][2])
    assert status.st_gid == int(groups["framebus"][2])
    assert stat.S_IMODE(status.st_mode) == 0o750


def table(file: Path) -> dict[str, list[str]]:
    return {line.split(":")[0]: line.split(":") for line in file.read_text().splitlines()}


IN_A_MOUNT_NAMESPACE = """
import os, subprocess, sys
udevadm, rules = sys.argv[1:]
os.makedirs("/run/udev", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "none", "/run/udev"], check=True)
os.makedirs("/run/udev/rules.d")
with open(rules) as source, open("/run/udev/rules.d/70-framebus.rules", "w") as copy:
    copy.write(source.read())
os.execv(udevadm, [udevadm, "test", "--action=add", "/sys/class/mem/null"])
"""
"""Lets udevadm read a rules file as installed, on a /run/udev that only it sees."""


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="mounts in a namespace of its own")
@pytest.mark.parametrize("name", RULES)
def test_udev_accepts_the_rules_and_would_find_a_mistake(name: str, tmp_path: Path) -> None:
    unshare, udevadm = needs("unshare"), needs("udevadm")
    rules = DEPLOY / "udev" / name
    wrong = tmp_path / "wrong.rules"
    text = rules.read_text()
    wrong.write_text(text.replace("SYMLINK+=", "SYMBOL+=").replace(" MODE=", " SYMBOL="))

    def complaints(file: Path) -> list[str]:
        code, said = output_of(
            unshare, "--mount", sys.executable, "-c", IN_A_MOUNT_NAMESPACE, udevadm, file
        )
        if code == 1 and "mount" in said:
            pytest.skip("no mount namespace may be made here")
        assert "Reading rules file: /run/udev/rules.d/70-framebus.rules" in said
        return [line for line in said.splitlines() if "70-framebus.rules:" in line]

    assert complaints(rules) == []
    assert any("SYMBOL" in line for line in complaints(wrong))


def test_udev_rules_name_cameras_and_daemons_alike() -> None:
    text = (DEPLOY / "udev" / "70-framebus.rules").read_text()
    blocks = [line for line in text.splitlines() if "SYMLINK+=" in line]
    assert len(blocks) == 2
    for block in blocks:
        camera = block.partition('SYMLINK+="framebus/')[2].partition('"')[0]
        assert f'TAG+="systemd", ENV{{SYSTEMD_WANTS}}+="framebus-capture@{camera}.service"' in block


def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    nginx = needs("nginx")
    file = tmp_path / "nginx.conf"
    needs("openssl")
    certificate, key = make_certificate(tmp_path)
    site = tmp_path / "site.conf"
    text = (DEPLOY / "nginx" / "framebus.conf").read_text()
    for old, new in (("fullchain.pem", certificate), ("privkey.pem", key)):
        assert f" /etc/ssl/framebus/{old};" in text
        text = text.replace(f"/etc/ssl/framebus/{old}", str(new))
    site.write_text(text)
    file.write_text(
        f"pid {tmp_path}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include {site}; }}\n"
    )
    code, said = output_of(nginx, "-t", "-c", file)
    assert code == 0, said
    assert "[warn]" not in said


def test_example_configuration_is_read_and_every_key_means_something() -> None:
    file = config.load(DEPLOY / "framebus.toml")
    assert file.cameras == ("front", "garden")
    front = Chosen(file=file).of_camera("front")
    front.check(*Scope)
    assert (front[SIZE], front[FPS], front[RING_SIZE]) == ((1280, 720), 30, 32 << 20)
    assert front[BIND] == "127.0.0.1:8080"
    chosen = access.choose(front, address.listening(front))
    assert (chosen.view, chosen.control) == ("token", "off")
    assert "camera.example.org" in chosen.hosts
    assert chosen.proxies == ("127.0.0.1/32", "::1/128")
