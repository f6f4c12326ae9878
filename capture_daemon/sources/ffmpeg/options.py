"""Which of ffmpeg's options a source may have: those that name no output, and write no file.

A table of what is allowed and not of what is forbidden: ffmpeg learns to write somewhere else with
every release. Names and meanings are ffmpeg's own (ffmpeg(1), ffmpeg-protocols(1),
ffmpeg-formats(1)). Pure.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Value(enum.Enum):
    """What stands after an option."""

    NONE = enum.auto()
    PLAIN = enum.auto()
    """A number, a size, a word of ffmpeg's: harmless."""
    FILTERS = enum.auto()
    """A graph of filters."""
    TEXT = enum.auto()
    """Anything, a password for one: never shown."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    value: Value
    for_input: bool = False
    """May stand before an -i."""
    of_format: bool = False
    """Belongs to what opens the input: the container's format or the protocol."""
    for_output: bool = False
    """May stand after the last -i."""


def _table(names: str, option: Option) -> dict[str, Option]:
    return dict.fromkeys(names.split(), option)


_PROGRAM = Option(Value.PLAIN, for_input=True, for_output=True)
_INPUT = Option(Value.PLAIN, for_input=True)
_FORMAT = Option(Value.PLAIN, for_input=True, of_format=True)
_OUTPUT = Option(Value.PLAIN, for_output=True)
_FLAG = Option(Value.NONE, for_input=True, for_output=True)
_FILTERS = Option(Value.FILTERS, for_output=True)
_TEXT = Option(Value.TEXT, for_input=True, of_format=True)

_OPTIONS: dict[str, Option] = {
    **_table(
        "re an sn dn vn copyts start_at_zero autorotate noautorotate accurate_seek "
        "noaccurate_seek hide_banner nostdin nostats shortest xerror",
        _FLAG,
    ),
    **_table(
        "loglevel v t to ss r s c codec vcodec pix_fmt threads flags flags2 strict err_detect "
        "filter_threads filter_complex_threads hwaccel hwaccel_device hwaccel_output_format "
        "filter_hw_device init_hw_device vaapi_device qsv_device hwaccel_flags autoscale "
        "color_range colorspace color_primaries color_trc field_order thread_type",
        _PROGRAM,
    ),
    **_table(
        "f sseof itsoffset itsscale stream_loop readrate readrate_initial_burst "
        "thread_queue_size discard skip_frame skip_loop_filter skip_idct lowres ec idct "
        "apply_cropping isync reinit_filter",
        _INPUT,
    ),
    # Containers and devices.
    **_table(
        "probesize formatprobesize fpsprobesize analyzeduration fflags max_delay rtbufsize "
        "max_probe_packets max_ts_probe max_streams use_wallclock_as_timestamps "
        "correct_ts_overflow skip_initial_bytes avioflags seek2any "
        "skip_estimate_duration_from_pts indexmem protocol_whitelist protocol_blacklist "
        "format_whitelist codec_whitelist framerate video_size pixel_format input_format "
        "channel standard ts timestamps use_libv4l2 draw_mouse follow_mouse grab_x grab_y "
        "show_region region_border window_id device format_modifier crtc_id plane_id loop "
        "ignore_loop start_number start_number_range pattern_type ts_from_file safe "
        "auto_convert live_start_index allowed_extensions max_reload m3u8_hold_counters "
        "http_persistent http_multiple http_seekable seg_max_retry resync_size fix_teletext_pts "
        "scan_all_pmts merge_pmt_versions strict_mime_boundary raw_packet_size min_delay "
        "max_gif_delay default_delay",
        _FORMAT,
    ),
    # Protocols.
    **_table(
        "rtsp_transport rtsp_flags allowed_media_types min_port max_port listen_timeout timeout "
        "stimeout reorder_queue_size buffer_size pkt_size initial_pause rw_timeout localport "
        "local_port localrtpport localrtcpport fifo_size overrun_nonfatal ttl connect reuse "
        "broadcast bitrate burst_bits tcp_nodelay tcp_mss recv_buffer_size send_buffer_size "
        "listen tls_verify seekable multiple_requests reconnect reconnect_at_eof "
        "reconnect_on_network_error reconnect_on_http_error reconnect_streamed "
        "reconnect_delay_max reconnect_max_retries reconnect_delay_total_max "
        "respect_retry_after http_version icy initial_request_size request_size offset "
        "end_offset auth_type short_seek_size method latency rcvlatency peerlatency mode "
        "transtype pbkeylen payload_size maxbw inputbw oheadbw ffs ipttl iptos linger "
        "connect_timeout tlpktdrop sndbuf rcvbuf lossmaxttl minversion nakreport snddropdelay "
        "enforced_encryption kmrefreshrate kmpreannounce messageapi rtmp_live rtmp_buffer "
        "rtmp_listen rist_profile encryption flush_packets",
        _FORMAT,
    ),
    **_table(
        "headers cookies user_agent user-agent referer content_type http_proxy post_data "
        "location passphrase streamid srt_streamid smoother password username user key iv "
        "secret decryption_key decryption_keys decryption_iv cryptokey srtp_in_params "
        "srtp_in_suite srtp_out_params srtp_out_suite private_key sftp_password ftp-username "
        "ftp-password ftp-anonymous-password rtmp_app rtmp_playpath rtmp_conn rtmp_flashver "
        "rtmp_pageurl rtmp_swfurl rtmp_swfhash rtmp_swfverify rtmp_tcurl rtmp_subscribe "
        "localaddr local_addr sources block ca_file cafile cert_file cert key_file verifyhost "
        "activation_bytes audible_key audible_iv",
        _TEXT,
    ),
    # What becomes of the pictures.
    **_table(
        "map vsync fps_mode frames q qscale b bt maxrate minrate bufsize qmin qmax aspect "
        "enc_time_base sws_flags bsf huffman force_duplicated_matrix low_power global_quality "
        "jfif_dht async_depth",
        _OUTPUT,
    ),
    **_table("vf filter filter_complex lavfi", _FILTERS),
}
_ALIASES = {"vcodec": "c", "codec": "c", "user-agent": "user_agent", "qscale": "q"}
_WORD = re.compile(r"-([A-Za-z][\w-]*)((?::[\w#]*){0,3})")
_PLAIN = re.compile(r"[A-Za-z0-9_.:+/,-]{1,64}|\[[A-Za-z0-9_]{1,32}\]")


def find(word: str) -> Option | None:
    """Return what an argument such as "-c:v" is; None for any that a source may not have."""
    found = _WORD.fullmatch(word)
    return None if found is None else _OPTIONS.get(found[1])


def name(word: str) -> str:
    """Return an option's name without its stream specifier: "c" for "-codec:v"."""
    bare = word.removeprefix("-").partition(":")[0]
    return _ALIASES.get(bare, bare)


def is_plain(value: str) -> bool:
    """Tell whether a value looks as those do that have no secrets."""
    return _PLAIN.fullmatch(value) is not None
