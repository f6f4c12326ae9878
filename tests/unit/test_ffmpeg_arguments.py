"""What an `ffmpeg:` source may say: inputs and what is shown of them, and no output."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from framebus.errors import UsageError

from capture_daemon.sources.ffmpeg import filters
from capture_daemon.sources.ffmpeg.arguments import parse
from capture_daemon.sources.remedies import Medium


@pytest.mark.parametrize(
    "text",
    [
        "-i x -y out.mkv",
        "-i x out.mkv",
        "-i x -f tee 'a.mkv|b.mkv'",
        "-i x -",
        "-y -i x",
        "-report -i x",
        "-progress http://h/ -i x",
        "-i x -vstats_file f",
        "-i x -vstats",
        "-i x -passlogfile f",
        "-dump_attachment:t f -i x",
        "-i x -attach f",
        "-i x -sdp_file f",
        "-i x -filter_script:v f",
        "-i x -filter_complex_script f",
        "-i x -/filter:v f",
        "-i x -f hls -hls_segment_filename f",
        "-i x -f segment",
        "-i x -vf metadata=print:file=f",
        "-i x -vf 'hflip,metadata=mode=print:file=f'",
        "-i x -vf movie=f",
        "-i x -vf ass=f",
        "-i x -vf subtitles=f",
        "-i x -filter_complex '[0:v][1:v]psnr=stats_file=f'",
        "-i x -filter_complex 'movie=f[m];[0:v][m]overlay'",
        "-i x -lavfi 'hflip;amovie=f'",
        "-i x -vf sendcmd=f=f",
        "-i x -vf drawtext=textfile=/etc/passwd",
        r"-i x -vf drawtext=te\\xtfile=/etc/passwd",
        "-i x -vf \"drawtext=te''xtfile=/etc/passwd\"",
        "-i x -vf drawtext=font:text:/etc/passwd",
        "-i x -vf drawtext=/text=/etc/passwd",
        "-i x -vf crop=w=1:/h=/etc/passwd",
        "-i x -vf deshake=filename=f",
        "-i x -vf curves=psfile=f",
        "-i x -vf 'mo\\vie=f'",
        "-f lavfi -i movie=f",
        "-f lavfi -graph_file f -i x",
        "-f lavfi -dumpgraph f -i x",
        "-f lavfi -i 'testsrc2,movie=f'",
        "-f LAVFI -i testsrc2,metadata=print:file=f",
        "-f Lavfi -i testsrc2",
        "-f no,lavfi -i movie=f",
        "-f 'lavfi ' -i movie=f",
        "-f:v LAVFI -i movie=f",
        "-f LAVFI -f mjpeg -i movie=f",
        "-f '' -i x",
        "-f vapoursynth -i f",
        "-f avisynth -i f",
        "-i /tmp/f.vpy",
        "/tmp/f.AVS",
        "-i x -no_such_option 1",
        "-i x -vf hflip extra",
        "-vf hflip -i x",
        "-i x -rtsp_transport tcp",
        "-i x -vf",
        "-i",
        "-rtsp_transport tcp",
        "-i 'x",
    ],
)
def test_what_could_write_a_file_or_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse(text)
    assert "passwd" not in str(failure.value)


@pytest.mark.parametrize(
    "text",
    [
        "-i x -vf hflip,vflip",
        "-i x -vf 'scale=640:-1, format=yuv420p'",
        r"-i x -vf 'setpts=if(isnan(PTS)\,0\,PTS)'",
        "-i x -vf \"drawtext=text='%{localtime}, here; now':x=10:fontfile=/usr/share/a.ttf\"",
        "-i x -filter_complex '[0:v]split[a][b];[a]hflip[c];[c][b]hstack=inputs=2[out]' -map [out]",
        "-i x -i y -filter_complex hstack",
        "-i x -map 0:v:1 -an -sn -t 5 -c:v mjpeg -q:v 3 -pix_fmt yuvj422p",
        "-i x -codec copy -bsf:v mjpeg2jpeg",
        "-f v4l2 -input_format mjpeg -video_size 640x480 -framerate 30 -i /dev/video0",
        "-hwaccel vaapi -hwaccel_device /dev/dri/renderD128 -rtsp_transport tcp -i rtsp://h/1",
        "-use_wallclock_as_timestamps 1 -fflags +nobuffer -flags low_delay -i rtsp://h/1",
        "-reconnect 1 -reconnect_delay_max 5 -rw_timeout 5000000 -i http://h/1",
        "-loglevel debug -i x",
        "-f x11grab -draw_mouse 0 -i :0.0+10,20",
        "-f lavfi -i 'testsrc2=size=64x48:rate=20,negate'",
        "-loop 1 -i 'pictures/%03d.jpg'",
        "-i crypto+http://me:pw@h/1",
        "-i 'async:http://me:pw@h/1'",
    ],
)
def test_what_opens_and_shows_an_input_is_allowed(text: str) -> None:
    assert parse(text).inputs


@pytest.mark.parametrize(
    ("text", "medium"),
    [
        ("rtsp://h/1", Medium.NETWORK),
        ("-i http://h/clip.mp4", Medium.NETWORK),
        ("-i udp://@239.0.0.1:1234", Medium.NETWORK),
        ("-f v4l2 -i /dev/video0", Medium.DEVICE),
        ("-i /dev/video0", Medium.DEVICE),
        ("-f x11grab -i :0.0", Medium.DEVICE),
        ("clip.mkv", Medium.FILE),
        ("-i file:clip.mkv", Medium.FILE),
        ("-f lavfi -i testsrc2", Medium.GENERATOR),
        ("-f lavfi -i color -i rtsp://h/1", Medium.NETWORK),
    ],
)
def test_what_it_is_read_from_is_known(text: str, medium: Medium) -> None:
    assert parse(text).medium is medium


def test_a_pipe_is_no_recording(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    assert parse(f"-i {tmp_path}/pipe").medium is Medium.DEVICE


def test_a_url_that_can_be_read_in_two_ways_is_refused_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="%23") as failure:
        parse("-i rtsp://admin:12#34hidden@127.0.0.1:9/x")
    assert "hidden" not in str(failure.value)


def test_options_are_shown_with_values_that_are_known_to_be_harmless() -> None:
    text = (
        "-rtsp_transport tcp -user_agent me -headers 'A: b' -i rtsp://h/1 "
        "-vf 'drawtext=text=secret' -r 5"
    )
    assert parse(text).known == (
        "-rtsp_transport tcp -user_agent … -headers … -i rtsp://h/1 -vf … -r 5"
    )


def test_a_graph_is_cut_up_as_ffmpeg_does_it() -> None:
    graph = r"[0:v]scale=1:2,drawtext=text='a,b;c\':x=1,setpts=a\,b;[a] hflip [b]"
    assert [name for name, _ in filters._filters(graph)] == [
        "scale",
        "drawtext",
        "setpts",
        "hflip",
    ]
    assert shlex.split(shlex.quote(graph)) == [graph]
