"""A stand-in for Raspberry Pi's rpicam-vid: options, messages, exit statuses and buffering as its.

Written after its source (raspberrypi/rpicam-apps at 2026-07: apps/rpicam_vid.cpp, core/options.cpp,
output/file_output.cpp). What goes wrong is the environment's to say, RPICAM_FAULT:

absent, held      there is no camera; another program has it
stalls            after three pictures the camera stops, and is started again for ever, in vain
breaks            after three pictures an exception ends it
slow              the first picture takes two seconds
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from pathlib import Path

from tests.samples.pictures import jpeg

FLAGS = {"nopreview", "flush", "hflip", "vflip", "no-raw"}
VALUES = {"codec", "output", "timeout", "width", "height", "framerate"} | {
    *("camera", "rotation", "exposure", "roi", "quality", "brightness")
}
_BUFFER = 4096
"""What C's stdio holds back of what does not fill it."""


def put(folder: Path, name: str = "rpicam-vid") -> None:
    """Make a program of this name in `folder`."""
    file = folder / name
    root = Path(__file__).parents[2]
    file.write_text(
        f"#!/bin/sh\nPYTHONPATH='{root}:{root}/shared' exec '{sys.executable}' -m "
        'tests.fakes.rpicam_vid "$@"\n'
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _fail(what: str) -> None:
    sys.stderr.write(f"ERROR: *** {what} ***\n")
    sys.exit(255)


def _options(words: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if name in FLAGS and not equals:
            options[name] = ""
        elif name in VALUES:
            options[name] = value if equals else next(rest, "")
        else:
            _fail(f"unrecognised option '{word}'")
    return options


class Output:
    """Its FileOutput on standard output, over C's stdio."""

    def __init__(self, *, flush: bool) -> None:
        self._flush = flush
        self._held = b""

    def write(self, data: bytes) -> None:
        data = self._held + data
        whole = len(data) if self._flush else len(data) - len(data) % _BUFFER
        self._held = data[whole:]
        try:
            while whole:
                whole -= (written := os.write(1, data[:whole]))
                data = data[written:]
        except BrokenPipeError:  # SIGPIPE is caught, and so this is what it sees
            sys.stderr.write("terminate called: failed to write output bytes\n")
            os.abort()


def main() -> None:
    fault = os.environ.get("RPICAM_FAULT", "")
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    options = _options(sys.argv[1:])
    sys.stderr.write("[0:00:01.000] [1] INFO Camera camera_manager.cpp:330 libcamera v0.5.2\n")
    if fault == "absent" or int(options.get("camera", "0")) > 1:
        _fail("no cameras available" if fault else "selected camera is not available")
    if fault == "held":
        sys.stderr.write("[0:00:01.000] [1] ERROR Camera camera.cpp:1057 Pipeline handler in use\n")
        _fail("failed to acquire camera /base/soc/i2c0mux/i2c@1/imx708@1a")
    if options.get("codec") != "mjpeg" or options.get("output") != "-":
        _fail("only JPEGs on standard output are stood in for")
    sys.stderr.write("Stream configuration adjusted\n")
    time.sleep(2.0 if fault == "slow" else 0.1)
    size = int(options.get("width", "64")), int(options.get("height", "48"))
    pause_s = 1 / float(options.get("framerate", "30"))
    output = Output(flush="flush" in options)
    ends_s = float(options.get("timeout", "5"))  # milliseconds; 0 is never
    began = time.monotonic()
    number = 0
    while not ends_s or time.monotonic() - began < ends_s / 1000:
        if fault == "stalls" and number >= 3:
            sys.stderr.write("ERROR: Device timeout detected, attempting a restart!!!\n")
            time.sleep(1.0)
            continue
        if fault == "breaks" and number == 3:
            _fail("failed to queue request")
        output.write(jpeg(number % 4, *size))
        number += 1
        time.sleep(pause_s)


if __name__ == "__main__":
    main()
