"""Which of ffmpeg's filters a source may have: those that touch neither files nor the network.

A graph is cut up as ffmpeg does it (libavutil's av_get_token): outside of quotes a backslash takes
the next character as it is, within them nothing does. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from capture_daemon.sources.redact import words

_FILTERS = words(
    "allrgb allyuv color colorchart colorspectrum gradients haldclutsrc mandelbrot nullsrc "
    "pal100bars pal75bars rgbtestsrc sierpinski smptebars smptehdbars testsrc testsrc2 "
    "yuvtestsrc alphaextract alphamerge atadenoise avgblur bbox bilateral blackdetect blackframe "
    "blend boxblur bwdif cas chromahold chromakey chromanr chromashift colorbalance "
    "colorchannelmixer colorcontrast colorcorrect colorhold colorize colorkey colorlevels "
    "colormatrix colorspace colortemperature concat copy crop cropdetect dblur dctdnoiz deband "
    "deblock decimate deflate deflicker deinterlace_qsv deinterlace_vaapi dejudder delogo "
    "despill dilation displace doubleweave drawbox drawgrid drawtext edgedetect elbg entropy epx "
    "eq erosion estdif exposure fade fftdnoiz fftfilt field fieldmatch fieldorder fillborders "
    "flip_vulkan floodfill format fps framepack framerate framestep freezedetect fspp gblur geq "
    "gradfun greyedge grayworld guided hflip histeq histogram hqdn3d hqx hstack hsvhold hsvkey "
    "hue huesaturation hwdownload hwmap hwupload hysteresis idet il inflate interlace interleave "
    "kerndeint kirsch lagfun latency lenscorrection limiter loop lumakey lut lut2 lutrgb lutyuv "
    "maskedclamp maskedmax maskedmerge maskedmin median mergeplanes mestimate midequalizer "
    "minterpolate mix monochrome morpho mpdecimate negate nlmeans noformat noise normalize null "
    "overlay owdenoise pad perspective phase pixdesctest pixelize pp pp7 prewitt pseudocolor "
    "readeia608 realtime remap removegrain repeatfields reverse rgbashift roberts rotate sab "
    "scale scale2ref scale_qsv scale_vaapi scale_vulkan scharr scroll select separatefields "
    "setdar setfield setparams setpts setrange setsar settb sharpness_vaapi shear showinfo "
    "shuffleframes shuffleplanes signalstats siti smartblur sobel split spp stereo3d super2xsai "
    "swaprect swapuv tblend telecine thistogram threshold thumbnail tile tinterlace tmedian "
    "tmidequalizer tmix tonemap tonemap_vaapi tpad transpose transpose_vaapi trim unpremultiply "
    "unsharp untile v360 vaguedenoiser varblur vectorscope vflip vfrdet vibrance vif vignette "
    "vpp_qsv vstack w3fdif waveform weave xbr xfade xmedian xstack yadif yaepblur zoompan zscale"
)
_PART = re.compile(r"(?:^|[,;])((?:[^\\',;]|\\.?|'[^']*'?)*)", re.DOTALL)
"""What stands between commas and semicolons that are neither quoted nor escaped."""
_NAME = re.compile(r"([a-z0-9_]+)(?:@\w+)?")
_LABELS = re.compile(r"\A\s*(?:\[[\w:.]+\]\s*)*")
_FILE_KEYS = re.compile(r"(?:^|:)\s*/|\b(?!fontfile\b)\w*file\w*\s*=", re.IGNORECASE)
"""Arguments that take a file: drawtext's but for the font, and "/key=file" of any (ffmpeg 7)."""
_NAMED = re.compile(r"\s*\w+\s*=")
_HARMLESS = re.compile(r"[\w \[\],;:=.*/+()<>@|-]*")


def refused(graph: str) -> str | None:
    """Return the name of the first filter that a source may not have; None if there is none.

    It is "" for one that is not known.
    """
    for name, arguments in _filters(graph):
        if name not in _FILTERS:
            return ""
        if _FILE_KEYS.search(arguments) or (name == "drawtext" and not _NAMED.match(arguments)):
            return name
    return None


def is_paced(graph: str) -> bool:
    """Tell whether a graph comes at its own rate, held back by `realtime`."""
    return any(name == "realtime" for name, _ in _filters(graph))


def is_harmless(graph: str) -> bool:
    """Tell whether a graph may be shown: it has no texts of people in it."""
    plain = refused(graph) is None and _HARMLESS.fullmatch(graph) is not None
    return plain and all(name != "drawtext" for name, _ in _filters(graph))


def _filters(graph: str) -> Iterator[tuple[str, str]]:
    """Yield each filter's name and its arguments, without quotes and backslashes."""
    for text in _PART.findall(graph):
        rest = _LABELS.sub("", text, count=1)
        name, _, arguments = rest.partition("=")
        labelled = name.partition("[")[0].strip()
        found = _NAME.fullmatch(labelled)
        yield (found[1] if found else ""), re.sub(r"[\\']", "", arguments)
