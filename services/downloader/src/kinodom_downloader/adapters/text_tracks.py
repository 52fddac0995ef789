"""Subtitles of what was fetched, from inside the media and beside them, as clean WebVTT files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.logs import get_log
from kinodom_common.media_tools import SubtitleOutput
from kinodom_downloader.domain.codecs import is_text_subtitle
from kinodom_downloader.domain.languages import distinct_name, language_name, language_tag
from kinodom_downloader.domain.manifests import TextTrack
from kinodom_downloader.domain.subtitles import NoCues, web_vtt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kinodom_downloader.adapters.sources import Source
    from kinodom_downloader.domain.fetched import Fetched

log = get_log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """Subtitle files from one place, before they are cleaned."""

    parts: tuple[Path, ...]
    language: str
    name: str | None
    shift_s: float
    clock_start_s: float | None
    shifts_s: tuple[float, ...] = ()


def inside_texts(source: Source, scratch: Path, base_s: float) -> list[tuple[FoundText, SubtitleOutput]]:
    """Return the text subtitles inside a source, with what ffmpeg is told of each."""
    found = []
    for stream in source.streams:
        if stream.kind == "subtitle" and not is_text_subtitle(stream.codec):
            log.warning("subtitles_left_out", language=stream.language, error=f"They are pictures ({stream.codec}).")
        elif stream.kind == "subtitle":
            path = scratch / f"inside-{id(source)}-{stream.number}.vtt"
            text = FoundText(
                parts=(path,),
                language=language_tag(stream.language),
                name=stream.title,
                shift_s=source.start_s - base_s,
                clock_start_s=None,
            )
            found.append((text, SubtitleOutput(path=path, stream=stream.number)))
    return found


def fetched_texts(fetched: Fetched, base_s: float) -> list[FoundText]:
    """Return the subtitle files that came beside the media.

    Segmented media carry a clock that subtitles may refer to; files count from their own start, so that they move
    with it.
    """
    media = [track for track in fetched.tracks if track.role != "subtitles"]
    segmented = any(track.container in ("ts", "fmp4", "aac") for track in media)
    return [
        FoundText(
            parts=track.parts,
            language=language_tag(track.language),
            name=track.name,
            shift_s=0.0 if segmented else -base_s,
            clock_start_s=base_s if segmented else None,
            shifts_s=track.shifts_s,
        )
        for track in fetched.tracks
        if track.role == "subtitles"
    ]


def clean_texts(texts: Sequence[FoundText], out: Path) -> tuple[TextTrack, ...]:
    """Write the clean WebVTT files; subtitles without text are left out, said in the log."""
    tracks: list[TextTrack] = []
    taken: set[str] = set()
    for text in texts:
        parts = (path.read_bytes() for path in text.parts)
        try:
            body = web_vtt(
                parts, shift_s=text.shift_s, clock_start_s=text.clock_start_s, shifts_s=text.shifts_s
            ).encode()
        except NoCues as exc:
            log.warning("subtitles_left_out", language=text.language, error=exc.detail)
            continue
        file = distinct_name("s", text.language, taken) + ".vtt"
        (out / file).write_bytes(body)
        label = text.name or language_name(text.language)
        tracks.append(TextTrack(file=file, language=text.language, label=label, size_bytes=len(body)))
    return tuple(tracks)
