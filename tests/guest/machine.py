"""One guest: boots, runs one command, and says how that ended.

The guest sees the host's files read-only under a tmpfs, so the host's venv works in it at its own
path. The command's output comes out of a virtio port as it is written; its exit status is a file
in the job folder. Knows nothing of cameras and of pytest.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.guest.bytecode import TREE as TREE
from tests.guest.bytecode import compile_tree
from tests.guest.cache import Kernel, system_root

DEFAULT_LIMIT_S = 120.0
JOB_IN_GUEST = "/run/job"
"""Where the guest sees the job folder, read-write."""
_PREFIX = "fb-guest-"
_ESCAPE = re.compile(r"\x1b(?:\[[^A-Za-z]*[A-Za-z]|c)")
_SERVICE = "[Service]\nType=exec\nExecStart=/run/job/start\n"
_START = Path(__file__).with_name("start")
_KERNEL_LINE = (
    "console=ttyS0 quiet panic=-1 reboot=t mitigations=off tsc=reliable random.trust_cpu=on "
    "cryptomgr.notests "
    # The second processor comes when `start` runs: QEMU's emulated ones now and then trip over
    # code that another is patching (a trap in sched_clock_cpu in 2 of 30 boots), and the kernel
    # does most of that while it starts.
    "maxcpus=1 noreplace-smp "
    # An idle camera would be suspended after 2 s, and vhci_hcd's hub refuses some resumes with
    # EBUSY, which no real hub was seen to do.
    "usbcore.autosuspend=-1"
)

_MANY = ("-accel", "tcg,thread=multi", "-smp", "2")
_COUNTED = (
    *("-accel", "tcg,thread=single", "-smp", "1"),
    # shift: 2^0 ns an instruction. sleep: idle, it waits as long as the guest asked for; jumping
    # over the wait instead would make what is read from this machine seem to take for ever.
    *("-icount", "shift=0,sleep=on", "-rtc", "clock=vm"),
)

# The guest's kernel has no binfmt_misc, which Python's package asks systemd for.
_SYSTEMD_LINE = (
    " framebus.systemd systemd.mask=systemd-binfmt.service"
    " systemd.mask=proc-sys-fs-binfmt_misc.automount systemd.firstboot=off"
)


class Ending(enum.Enum):
    """The ways in which a guest ends."""

    EXITED = "exited"
    """The command ended; `status` is its exit status."""
    HUNG = "hung"
    """The time limit passed."""
    PANICKED = "panicked"
    """The kernel did."""
    LOST = "lost"
    """QEMU ended without either: it could not start, or the guest rebooted."""


@dataclass(frozen=True)
class Outcome:
    """How a guest ended."""

    ending: Ending
    status: int | None
    """The command's exit status, as a shell gives it; None unless it exited."""
    console: str
    """The kernel's messages (and QEMU's own)."""
    seconds: float

    def explain(self) -> str:
        """Say in a few lines what happened, for people."""
        if self.ending is Ending.EXITED:
            return f"the command exited with status {self.status} after {self.seconds:.1f} s"
        # SeaBIOS clears a screen that is none; a panic's reason comes before its registers.
        tail = "\n".join(_ESCAPE.sub("", self.console).splitlines()[-60:])
        return f"the guest {self.ending.value} after {self.seconds:.1f} s; its console:\n{tail}"


class Guest:
    """A guest that is under way. Use `booted`, which ends it in any case."""

    def __init__(self, process: subprocess.Popen[bytes], job: Path, limit_s: float) -> None:
        self._process = process
        self._started = time.monotonic()
        self._deadline = self._started + limit_s
        self.job = job
        """The folder that the guest sees as /run/job."""

    def output(self, until: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Yield what the command writes, as it comes (b"" at least every 0.1 s), to the end.

        Stops at the time limit too, and early as soon as `until` returns True.
        """
        stream = self._process.stdout
        assert stream is not None
        while not until() and time.monotonic() < self._deadline:
            ready, _, _ = select.select([stream], [], [], 0.1)
            data = os.read(stream.fileno(), 65536) if ready else b""
            if ready and not data:
                self._process.wait()
                return
            yield data

    def outcome(self) -> Outcome:
        """End the guest, if it has not ended, and say how it did."""
        running = self._process.poll() is None
        if running:
            self._process.kill()
        self._process.wait()
        seconds = time.monotonic() - self._started
        console = (self.job / "console").read_text(errors="replace")
        with contextlib.suppress(OSError, ValueError):
            status = int((self.job / "status").read_text())
            return Outcome(Ending.EXITED, status, console, seconds)
        if "Kernel panic" in console:
            return Outcome(Ending.PANICKED, None, console, seconds)
        ending = Ending.HUNG if running else Ending.LOST
        return Outcome(ending, None, console, seconds)


@contextlib.contextmanager
def booted(
    kernel: Kernel,
    command: Sequence[str],
    *,
    limit_s: float = DEFAULT_LIMIT_S,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    files: Mapping[str, str] | None = None,
    systemd: bool = False,
    counted: bool = False,
) -> Iterator[Guest]:
    """Boot `kernel` and run `command` in `folder` (here by default); end all of it afterwards.

    `kernel` must be prepared. The command finds `files` (name: text) in /run/job; what it leaves
    there can be read from `Guest.job` until the context ends. With `systemd` the root is a Debian
    of its own, which must be prepared too, and which sees of the host this tree, its Python and
    `folder`, read-only.

    With `counted` the guest has one processor, and its clock counts what that does: a nanosecond
    an instruction, as on a small ARM board; idle it goes with this machine's. So what a guest
    measures does not depend on how slow the emulation is, nor on what else runs here.
    """
    _sweep(Path(tempfile.gettempdir()))
    compile_tree()
    job, lock = _job_folder()
    process = None
    try:
        _write_job(job, command, environment or {}, folder or Path.cwd())
        for name, text in (files or {}).items():
            (job / name).write_text(text)
        with (job / "console").open("ab") as console:
            process = subprocess.Popen(
                _qemu(kernel, job, systemd=systemd, counted=counted),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=console,
            )
        yield Guest(process, job, limit_s)
    finally:
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        shutil.rmtree(job)
        lock.close()


def _job_folder() -> tuple[Path, TextIO]:
    """Return a new job folder and its lock, held; it has its name only once it is locked."""
    making = Path(tempfile.mkdtemp(prefix="fb-making-"))
    lock = (making / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    job = making.with_name(making.name.replace("fb-making-", _PREFIX))
    return making.rename(job), lock


def _sweep(folder: Path) -> None:
    """Remove the job folders of runs that were killed: nobody holds their lock any more."""
    for job in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (job / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(job)


def _write_job(job: Path, command: Sequence[str], environment: Mapping[str, str], at: Path) -> None:
    shutil.copy(_START, job / "start")
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()
    )
    script = f"{exports}cd {shlex.quote(str(at))} && exec {shlex.join(command)}\n"
    (job / "command").write_text(script)
    (job / "framebus-guest.service").write_text(_SERVICE)
    # A Python below /usr is the guest's own there.
    lent = {TREE, at, Path(sys.prefix), Path(sys.base_prefix)} - {Path("/usr")}
    (job / "lent").write_text("".join(f"{path}\n" for path in sorted(lent)))
    (job / "console").touch()


def _share(tag: str, path: Path, *, writable: bool = False) -> list[str]:
    options = f"local,id={tag},path={path},security_model=none,multidevs=remap"
    if not writable:
        options += ",readonly=on"
    return ["-fsdev", options, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def _qemu(kernel: Kernel, job: Path, *, systemd: bool, counted: bool) -> list[str]:
    """Return the command line; setpriv ends QEMU when this process dies, by SIGKILL too."""
    processors = _COUNTED if counted else _MANY
    return [
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
        *("-M", "pc", "-no-hpet", "-cpu", "Nehalem,+rdrand", *processors),
        *("-m", "1024", "-no-reboot"),
        *("-nodefaults", "-nographic", "-no-user-config"),
        *("-kernel", str(kernel.vmlinux), "-initrd", str(kernel.initramfs)),
        *("-append", _KERNEL_LINE + _SYSTEMD_LINE * systemd),
        *("-chardev", f"file,id=console,path={job}/console,append=on"),
        *("-serial", "chardev:console"),
        *("-chardev", "file,id=output,path=/dev/stdout,append=on"),
        *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=output,name=output"),
        *_share("host", Path("/")),
        *_share("layer", kernel.layer),
        *_share("job", job, writable=True),
        *(_share("system", system_root()) if systemd else ()),
    ]
