"""Commands for ffmpeg that make a film, or a poster, out of nothing. Every word in them is ours or a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_common.processes import Command
from kinodom_demo.scenes import PERIOD_S, SCENES

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_demo.films import Film, Form, SceneName, Version

HEIGHTS_PX: Final = (360, 720)
FRAMES_PER_S: Final = 25
GOP_S: Final = 2
SEGMENT_S: Final = 4
KEY_FILE: Final = "key.bin"
KEY_NOTE: Final = "key.txt"  # tells ffmpeg the key's address and file; not served
_SAMPLES_PER_S: Final = 16_000  # of the formula; it is slow, and has no high tones
_QUIET: Final = ("-nostdin", "-v", "error", "-y")
# Which of the seven strokes of a digit are drawn for which digits; x, y, width, height in units of a tenth.
_STROKES: Final = (
    ((1, 0, 4, 1), "02356789"),
    ((1, 5, 4, 1), "2345689"),
    ((1, 10, 4, 1), "0235689"),
    ((0, 1, 1, 4), "045689"),
    ((5, 1, 1, 4), "01234789"),
    ((0, 6, 1, 4), "0268"),
    ((5, 6, 1, 4), "013456789"),
)


def film_command(film: Film, version: Version, part: int, *, seconds: int) -> Command:
    """Return the command that writes playlists and segments of one part into its working folder."""
    tune = version.tune[part - 1 :] + version.tune[: part - 1]  # each part begins its tune elsewhere
    words = [
        *(*_QUIET, "-f", "lavfi", "-i", _picture(film.scene, seconds)),
        *("-f", "lavfi", "-i", _tune(version.base_hz + 20 * (part - 1), tune, seconds)),
        *("-filter_complex", _graph(part, seconds, split_sound=film.form != "fmp4")),
        *_outputs(film.form),
        *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-sc_threshold", "0"),
        *("-g", str(GOP_S * FRAMES_PER_S), "-keyint_min", str(GOP_S * FRAMES_PER_S)),
        *("-b:v:0", "700k", "-maxrate:v:0", "800k", "-bufsize:v:0", "1400k"),
        *("-b:v:1", "1800k", "-maxrate:v:1", "2000k", "-bufsize:v:1", "3600k"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-fflags", "+bitexact", "-flags", "+bitexact"),
        *("-muxdelay", "0", "-muxpreload", "0"),  # time stamps begin at 0, as the subtitles do
        *_packaging(film.form),
    ]
    return Command("ffmpeg", tuple(words))


def poster_command(scene: SceneName, out: Path) -> Command:
    """Return the command that writes the poster: JPEG, 400 by 600 pixels."""
    picture = f"color=c=black:s=400x600:r={FRAMES_PER_S}:d=1,format=yuv420p,{SCENES[scene].filter()}"
    words = (*_QUIET, "-f", "lavfi", "-i", picture, "-frames:v", "1", "-pix_fmt", "yuvj420p", "-q:v", "3")
    return Command("ffmpeg", (*words, "-f", "image2", "-update", "1", f"file:{out.absolute()}"))


def _picture(scene: SceneName, seconds: int) -> str:
    drawn = SCENES[scene]
    frames = PERIOD_S * FRAMES_PER_S // drawn.held_frames
    return (
        f"color=c=black:s=192x108:r={FRAMES_PER_S}/{drawn.held_frames}:d={PERIOD_S},format=yuv420p,{drawn.filter()},"
        f"loop=loop=-1:size={frames}:start=0,fps={FRAMES_PER_S},trim=duration={int(seconds)}"
    )


def _tune(base_hz: int, semitones: tuple[int, ...], seconds: int) -> str:
    count = len(semitones)
    step = "+".join(f"{int(note)}*eq(mod(floor(t*2),{count}),{place})" for place, note in enumerate(semitones))
    note = f"0.3*sin(2*PI*t*{int(base_hz)}*pow(2,({step})/12))*exp(-4*mod(t,0.5))"
    return f"aevalsrc=exprs='{note.replace(',', chr(92) + ',')}':s={_SAMPLES_PER_S}:d={int(seconds)},aresample=48000"


def _graph(part: int, seconds: int, *, split_sound: bool) -> str:
    low, high = HEIGHTS_PX
    bar = f"color=c=0xd9a066:s=1280x6:r={FRAMES_PER_S}:d={int(seconds)}[bar]"
    picture = f"[0:v]scale=1280:{high}:flags=bicubic,setsar=1,{','.join(_clock(part))}[drawn]"
    # A strip at the bottom grows with the time: where a player is can be seen from across the room.
    joined = f"[drawn][bar]overlay=x='-1280+1280*t/{int(seconds)}':y={high - 6}:shortest=1,format=yuv420p,split[a][b]"
    sizes = f"[a]scale=640:{low}:flags=fast_bilinear[low];[b]null[high]"
    sound = "[1:a]asplit[sound][again]" if split_sound else "[1:a]anull[sound]"
    return f"{bar};{picture};{joined};{sizes};{sound}"


def _clock(part: int) -> list[str]:
    """Return filters that draw the part's number on the left and `M:SS` on the right, without any font."""
    dots = [f"drawbox=x=1118:y={y}:w=6:h=6:color=white@0.8:t=fill" for y in (52, 76)]
    return [
        *_digit(40, str(int(part))),
        *_digit(1070, "mod(floor(t/60),10)"),
        *dots,
        *_digit(1136, "mod(floor(t/10),6)"),
        *_digit(1190, "mod(floor(t),10)"),
    ]


def _digit(x_px: int, digit: str) -> list[str]:
    unit_px, top_px = 6, 36
    return [
        f"drawbox=x={x_px + x * unit_px}:y={top_px + y * unit_px}:w={width * unit_px}:h={height * unit_px}"
        f":color=white@0.8:t=fill:enable='{'+'.join(f'eq({digit},{one})' for one in lit)}'".replace(",", "\\,")
        for (x, y, width, height), lit in _STROKES
    ]


def _outputs(form: Form) -> tuple[str, ...]:
    if form == "fmp4":
        return ("-map", "[low]", "-map", "[high]", "-map", "[sound]")
    return ("-map", "[low]", "-map", "[sound]", "-map", "[high]", "-map", "[again]")


def _packaging(form: Form) -> tuple[str, ...]:
    low, high = HEIGHTS_PX
    common = (
        *("-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_playlist_type", "vod"),
        *("-hls_flags", "independent_segments", "-master_pl_name", "master.m3u8"),
    )
    if form == "fmp4":
        pictures = f"v:0,agroup:sound,name:{low} v:1,agroup:sound,name:{high}"
        return (
            *(*common, "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "%v_init.mp4"),
            *("-hls_segment_filename", "%v_%04d.m4s"),
            *("-var_stream_map", f"a:0,agroup:sound,language:ru,default:yes,name:sound {pictures}", "%v.m3u8"),
        )
    secret = ("-hls_key_info_file", KEY_NOTE) if form == "ts_aes128" else ()
    streams = f"v:0,a:0,name:{low} v:1,a:1,name:{high}"
    return (*common, *secret, "-hls_segment_filename", "%v_%04d.ts", "-var_stream_map", streams, "%v.m3u8")
