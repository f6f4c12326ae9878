"""`framebus devices`: the cameras of this machine, and what one of them offers."""

from __future__ import annotations

import os
from pathlib import Path

import click
from framebus.invocation import ending, output, typed
from framebus.printable import line

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2.cameras import Camera, cameras
from capture_daemon.v4l2.discovery import offers_of, resolve
from capture_daemon.v4l2.formats import OfferedFormat


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--formats",
    "device",
    metavar="DEVICE",
    help="List the formats, sizes and rates of one camera. This opens it.",
)
@click.option("--all", "everything", is_flag=True, help="List metadata nodes, too.")
def devices(*, as_json: bool, device: str | None, everything: bool) -> None:
    """List the cameras of this machine, without opening one.

    The name in the first column survives replugging: use it as --source v4l2:NAME. A camera whose
    node belongs to another group, or is missing, is explained with what to do about it.
    """
    if device is not None:
        _show_formats(device, as_json=as_json)
        return
    found = [camera for camera in cameras() if camera.captures or everything]
    if as_json:
        output.say_json([camera.document() for camera in found])
        return
    for camera in found:
        output.say(_line(camera))
    for sentence in advice(found):
        ending.tell(sentence)


def _line(camera: Camera) -> str:
    kind = "" if camera.captures else "  (not for pictures)"
    port = f"  port {camera.port}" if camera.port else ""
    name, stable = line(camera.name), line(camera.stable)
    return f"v4l2:{stable}\n    {name}  {camera.node}{port}{kind}"


def advice(found: list[Camera], modules: Path = Path("/proc/modules")) -> list[str]:
    """Return what hinders, and how to mend it, one sentence each."""
    if not found:
        sentences = ["No camera is connected, or the kernel refused it: see `lsusb` and `dmesg`."]
        try:
            loaded = {line.split()[0] for line in modules.read_text().splitlines() if line}
        except OSError:
            loaded = set()
        if "uvcvideo" not in loaded:
            sentences.append(
                "The driver for USB cameras is not loaded: `sudo modprobe uvcvideo`. "
                "(In a container or a virtual machine, it is the host's.)"
            )
        sentences.append("Without a camera, `--source test` shows a test pattern.")
        return sentences
    return [
        f"You may not open {camera.node}: `sudo usermod -aG video $USER`, then log in again."
        for camera in found
        if os.path.exists(camera.node) and not os.access(camera.node, os.R_OK | os.W_OK)
    ] + [
        f"{camera.node} is missing under /dev: in a container, pass it with "
        f"`--device {camera.node}`."
        for camera in found
        if not os.path.exists(camera.node)
    ]


def _show_formats(device: str, *, as_json: bool) -> None:
    try:
        offers = offers_of(resolve(device.removeprefix("v4l2:")))
    except SourceError as error:
        remedy = f" ({error.remedy})" if error.remedy else ""
        ending.tell(typed.remedies(f"framebus: {error.message}{remedy}"))
        raise SystemExit(_exit_code(error)) from error
    if as_json:
        output.say_json([offer.document() for offer in offers])
        return
    for offer in offers:
        output.say(_table(offer))


def _table(offer: OfferedFormat) -> str:
    lines = [line(f"{offer.fourcc}  {offer.description}")]
    for size in offer.sizes:
        rates = ", ".join(f"{float(rate):g}" for rate in size.rates)
        lines.append(f"    {size.width}x{size.height}  {rates} fps")
    return "\n".join(lines)


def _exit_code(error: SourceError) -> int:
    return {"no-permission": os.EX_NOPERM, "device-busy": os.EX_TEMPFAIL}.get(
        error.code, os.EX_UNAVAILABLE
    )
