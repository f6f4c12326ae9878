"""Draws the emulated camera's clip: small JPEGs of every MJPEG frame size, on the host, once."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from tests.guest.camera.model import BULK
from tests.guest.camera.pictures import CLIP_LENGTH, clip_file


def draw_clip(folder: Path) -> None:
    """Write the pictures into `folder`; each is valid, textured, and differs from the next."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in BULK.formats[0].sizes:
        slope = Image.linear_gradient("L").resize((one.width, one.height))
        for number in range(CLIP_LENGTH):
            picture = Image.merge("RGB", (slope, slope.rotate(180), slope.rotate(90)))
            pen = ImageDraw.Draw(picture)
            left = one.width * number // CLIP_LENGTH
            pen.rectangle((left, 0, left + one.width // CLIP_LENGTH, one.height // 2), "white")
            pen.text((8, one.height // 2), f"{one.width} x {one.height} no. {number}", "black")
            picture.save(clip_file(folder, one.width, one.height, number), quality=80)
