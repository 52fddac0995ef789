"""What was fetched, opened for ffmpeg: as a file, as a stream of parts, or through a playlist of our own."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kinodom_common.media_tools import Demuxer, MediaInput, file_list, most_listed, probe
from kinodom_common.processes import Command, Finished, checked
from kinodom_downloader.adapters.retimed import retimed
from kinodom_downloader.adapters.track_files import source_tracks
from kinodom_downloader.domain.checks import EncryptedMedia, PackagingFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_common.feeding import StdinPart
    from kinodom_downloader.domain.fetched import FetchedTrack
    from kinodom_downloader.domain.retiming import Layout

_PROBE_S = 60.0
_DEMUXERS: dict[str, Demuxer] = {"ts": "mpegts", "fmp4": "mov", "mp4": "mov", "webm": "matroska", "aac": "aac"}
_SUFFIXES = {"ts": ".ts", "fmp4": ".m4s", "aac": ".aac"}


class Runner(Protocol):
    """Runs a program; `kinodom_common.processes.run` is one."""

    def __call__(
        self,
        command: Command,
        *,
        timeout_s: float,
        stdin_parts: Sequence[StdinPart] | None = None,
        on_line: Callable[[str], None] | None = None,
        stopped: Callable[[], bool] = ...,
    ) -> Finished: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of a source as ffprobe sees it."""

    number: int
    kind: str  # `video`, `audio`, `subtitle`, …
    codec: str
    profile: str | None
    pixel_format: str | None
    size_px: tuple[int, int] | None  # as coded
    frames_per_s: str | None  # a fraction, as ffmpeg takes it
    channels: int | None
    language: str | None
    title: str | None
    sample_rate_hz: int | None
    start_s: float  # first packet, on the source's own clock
    heard_s: float  # first sample that is not thrown away, on the same clock
    duration_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One fetched track, ready to be read."""

    fetched: FetchedTrack
    input: MediaInput
    stdin_parts: tuple[StdinPart, ...] | None
    streams: tuple[Stream, ...]
    start_s: float  # where ffmpeg puts its zero, on the source's clock
    duration_s: float | None
    is_whole_file: bool  # its header states its length; a fragmented one does not
    layout: Layout | None = None  # None: its parts follow each other as they are
    is_placed: bool = True  # False: it begins with the picture, whatever its clock says


def open_source(fetched: FetchedTrack, layout: Layout | None, scratch: Path, *, run: Runner) -> Source:
    """Return the track opened and probed, its parts where they belong; what that takes goes into the scratch folder.

    Raises:
        EncryptedMedia: it is protected.
        ProgramFailed: ffprobe cannot read it.
    """
    media, stdin_parts = opened(fetched, layout, scratch)
    return replace(probed(fetched, media, stdin_parts, run=run), layout=layout)


def probed(
    fetched: FetchedTrack, media: MediaInput, stdin_parts: tuple[StdinPart, ...] | None, *, run: Runner
) -> Source:
    """Return a track that is read in the given way; raises as `open_source`."""
    starts: dict[int, float] = {}
    order: list[int] = []
    if fetched.container in ("fmp4", "mp4"):
        tracks, starts = source_tracks(fetched.parts)
        order = [track.track_id for track in tracks]
        if any(track.encrypted for track in tracks):
            raise EncryptedMedia("The video is protected by DRM. It stays where it is.")
    reply = checked(run(probe(media), timeout_s=_PROBE_S, stdin_parts=stdin_parts), "ffprobe")
    shown = json.loads(reply.stdout)
    seen = _first_times(shown)
    streams = tuple(
        _stream(fields, seen.get(int(fields["index"])), starts.get(order[number]) if number < len(order) else None)
        for number, fields in enumerate(shown.get("streams", []))
    )
    container = shown.get("format", {})
    return Source(
        fetched=fetched,
        input=media,
        stdin_parts=stdin_parts,
        streams=streams,
        start_s=float(container.get("start_time") or 0.0),
        duration_s=float(container["duration"]) if "duration" in container else None,
        is_whole_file=fetched.container in ("mp4", "webm") and not starts,
    )


def opened(
    fetched: FetchedTrack, layout: Layout | None, scratch: Path
) -> tuple[MediaInput, tuple[StdinPart, ...] | None]:
    """Return how ffmpeg reads a track, and what it gets by its standard input; raises PackagingFailed."""
    if fetched.container not in _DEMUXERS:
        raise PackagingFailed(f"A {fetched.role} track came as {fetched.container}.")
    demuxer = _DEMUXERS[fetched.container]
    if fetched.container == "aac" or (fetched.breaks and fetched.container == "fmp4"):
        one_clock = fetched.container == "fmp4"
        return MediaInput(path=local_playlist(fetched, layout, scratch), demuxer="hls", one_clock=one_clock), None
    if fetched.container == "ts" and layout is not None:
        return MediaInput(path=None, demuxer=demuxer, one_clock=True), tuple(retimed(fetched, layout))
    if fetched.container == "ts" and 1 < len(fetched.parts) <= most_listed():  # on a busy machine faster than a pipe
        listed = scratch / f"list-{fetched.role}-{len(list(scratch.iterdir()))}"
        listed.write_text(file_list(fetched.parts), encoding="utf-8")
        return MediaInput(path=listed, demuxer=demuxer, listed=True), None
    if fetched.container == "fmp4" or (fetched.container == "ts" and len(fetched.parts) > 1):
        return MediaInput(path=None, demuxer=demuxer), fetched.parts
    if len(fetched.parts) == 1:
        return MediaInput(path=fetched.parts[0], demuxer=demuxer), None
    joined = scratch / f"joined-{fetched.role}"
    with joined.open("wb") as out:
        for part in fetched.parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, out, 1024 * 1024)
    return MediaInput(path=joined, demuxer=demuxer), None


def local_playlist(fetched: FetchedTrack, layout: Layout | None, scratch: Path) -> Path:
    """Return a playlist of local names: links beside it, so that nothing foreign is in its lines.

    The playlist reader is the one that takes a second init section.
    """
    folder = scratch / f"{fetched.role}-{len(list(scratch.iterdir()))}"
    folder.mkdir()
    durations = fetched.durations_s or (10.0,) * len(fetched.parts)
    target = int(max(durations, default=10.0)) + 1
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    ready = retimed(fetched, layout) if layout and fetched.container == "fmp4" else iter(fetched.parts)
    for number, (part, given, duration_s) in enumerate(zip(fetched.parts, ready, durations, strict=True)):
        name = f"p{number:06d}{_SUFFIXES[fetched.container]}"
        if callable(given):
            (folder / name).write_bytes(given())
        else:
            (folder / name).symlink_to(part.absolute())
        if number in fetched.breaks:
            lines.append("#EXT-X-DISCONTINUITY")
        if fetched.container == "fmp4" and is_init_section(part):
            lines.append(f'#EXT-X-MAP:URI="{name}"')
        else:
            lines += [f"#EXTINF:{duration_s:.6f},", name]
    playlist = folder / "list.m3u8"
    playlist.write_text("\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n", encoding="ascii")
    return playlist


def is_init_section(part: Path) -> bool:
    """Return whether the part begins as a file does, not as a segment."""
    with part.open("rb") as file:
        return file.read(8)[4:] in (b"ftyp", b"moov")


def _rate(text: str | None) -> str | None:
    """Return a frame rate that is one, as it was given."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", text or "")
    return match[0] if match and int(match[1]) <= 1000 * int(match[2]) else None


def _first_times(shown: dict[str, Any]) -> dict[int, float]:
    """Return the time of the first packet of each stream from which decoding can start."""
    times: dict[int, float] = {}
    for packet in shown.get("packets", []):
        if "K" in packet.get("flags", "") and "pts_time" in packet:
            times.setdefault(int(packet["stream_index"]), float(packet["pts_time"]))
    return times


def _stream(fields: dict[str, Any], first_s: float | None, boxed_s: float | None) -> Stream:
    tags = {str(key).lower(): str(value) for key, value in fields.get("tags", {}).items()}
    cover = bool(fields.get("disposition", {}).get("attached_pic"))
    stated_s = float(fields.get("start_time", 0.0))
    known = [at_s for at_s in (boxed_s, first_s) if at_s is not None]
    return Stream(
        number=int(fields["index"]),
        kind="cover" if cover else str(fields.get("codec_type", "")),
        codec=str(fields.get("codec_name", "unknown")),
        profile=None if (profile := fields.get("profile")) == "unknown" else profile,
        pixel_format=fields.get("pix_fmt"),
        size_px=(int(fields["width"]), int(fields["height"])) if fields.get("width") else None,
        frames_per_s=_rate(fields.get("avg_frame_rate")),
        channels=fields.get("channels"),
        language=tags.get("language"),
        title=tags.get("title"),
        sample_rate_hz=int(fields["sample_rate"]) if "sample_rate" in fields else None,
        start_s=known[0] if known else stated_s,
        heard_s=stated_s if boxed_s is None else boxed_s,
        duration_s=float(fields["duration"]) if "duration" in fields else None,
    )
