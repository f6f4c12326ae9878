"""JPEGs for tests, made once per size; each can be told from the next."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw


@cache
def jpeg(number: int = 0, width: int = 64, height: int = 48, quality: int = 80) -> bytes:
    """A picture with `number` as its shade and a pattern that costs some bytes."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2, height // 2), fill=(number * 37 % 256, 90, number % 256))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def decode(data: bytes) -> tuple[int, int]:
    """Decode all of `data`; return its size. Raises what Pillow raises on damage."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.size
