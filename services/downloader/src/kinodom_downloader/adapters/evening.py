"""Tracks whose parts are not of one kind, made even: coded anew into one file that decoders read from end to end.

A track file has one decoder configuration. Parts with another one (an advertisement of another size, a period in
another codec) and stretches without any sound cannot be copied into it. This costs a whole transcode, so parts that
differ in nothing a decoder sees are left alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kinodom_common.logs import get_log
from kinodom_common.media_tools import MediaInput, probe
from kinodom_common.processes import checked
from kinodom_downloader.adapters.joining import Shape, Stretch, join
from kinodom_downloader.adapters.sources import is_init_section, local_playlist, open_source, probed
from kinodom_downloader.domain.boxes import boxes_in
from kinodom_downloader.domain.checks import PackagingFailed
from kinodom_downloader.domain.headers import read_tracks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_downloader.adapters.sources import Runner, Source, Stream
    from kinodom_downloader.domain.fetched import FetchedTrack
    from kinodom_downloader.domain.retiming import Layout

log = get_log(__name__)

_MOST_STRETCHES: Final = 100
_MOST_LOOKS: Final = 200  # of ffprobe, at the discontinuities of one track
_LOOK_S: Final = 60.0
_LEAST_S, _SLOWEST = 900.0, 30.0  # a transcode may take this many times the length of the film


class TooManyKinds(PackagingFailed):
    """The parts of a track change their kind so often that joining them is hopeless."""

    code = "too_many_kinds"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Parts of one kind, or silence."""

    length_s: float
    fetched: FetchedTrack | None  # None: silence
    source: Source | None = None

    def of(self, kind: str) -> list[Stream]:
        """Return its streams of a kind."""
        return [one for one in self.source.streams if one.kind == kind] if self.source else []


def open_evenly(
    fetched: FetchedTrack, layout: Layout | None, scratch: Path, *, run: Runner, stopped: Callable[[], bool]
) -> Source:
    """Return a track opened as `open_source` does; one whose parts are of several kinds is made even first.

    Raises:
        TooManyKinds: and what `open_source` raises.
    """
    is_plain = fetched.gathered or fetched.container not in ("ts", "fmp4")
    runs = [] if is_plain else _runs(fetched, run)
    if len(runs) < 2:
        return open_source(fetched, layout, scratch, run=run)
    if fetched.holes:
        raise TooManyKinds(f"Parts of the {fetched.role} track are missing, and the others are not of one kind.")
    if len(runs) > _MOST_STRETCHES:
        raise TooManyKinds(f"The {fetched.role} track changes its kind {len(runs) - 1} times.")
    log.warning("track_made_even", role=fetched.role, stretches=len(runs))
    runs = [replace(one, source=_opened(one.fetched, scratch, run)) if one.fetched else one for one in runs]
    main = max((one for one in runs if one.source), key=lambda one: (bool(one.of("video")), one.length_s))
    loud = max(runs, key=lambda one: (len(one.of("audio")), one.length_s))
    stretches = [_stretch(one, main, len(loud.of("audio"))) for one in runs]
    out = scratch / f"even-{len(list(scratch.iterdir()))}.mp4"
    length_s = sum(one.length_s for one in runs)
    timeout_s = max(_LEAST_S, length_s * _SLOWEST)
    checked(run(join(stretches, _shape(main, loud), out), timeout_s=timeout_s, stopped=stopped), "ffmpeg")
    even = replace(fetched, container="mp4", parts=(out,), durations_s=(length_s,), silences=())
    return _placed(probed(even, MediaInput(path=out, demuxer="mov"), None, run=run), runs[0], main, loud)


def _runs(fetched: FetchedTrack, run: Runner) -> list[_Run]:
    """Return the parts in stretches of one kind, and the silences between them."""
    silent = dict(fetched.silences)
    durations = fetched.durations_s or (0.0,) * len(fetched.parts)
    places = (0, *fetched.breaks)
    if fetched.container == "fmp4":
        kinds = [(at, _kind(fetched.parts[at])) for at in places if is_init_section(fetched.parts[at])]
    else:
        looks = places if 1 < len(places) <= _MOST_LOOKS else ()
        kinds = [(at, kind) for at in looks if (kind := _look(fetched.parts[at], run)) is not None]
    changes = {at for (_, before), (at, kind) in pairwise(kinds) if kind != before}
    borders = {0, len(fetched.parts), *silent, *changes}
    found: list[_Run] = []
    for start, end in pairwise((*sorted(borders), len(fetched.parts) + 1)):
        if start in silent:
            found.append(_Run(length_s=silent[start], fetched=None))
        if start < len(fetched.parts):
            parts = replace(
                fetched,
                parts=fetched.parts[start:end],
                durations_s=durations[start:end],
                breaks=tuple(at - start for at in fetched.breaks if start < at < end),
                silences=(),
            )
            found.append(_Run(length_s=sum(parts.durations_s), fetched=parts))
    return found


def _kind(init: Path) -> object:
    """Return what must be equal for parts to share one header: tracks, clocks, decoder configurations, defaults."""
    payload = init.read_bytes()
    moov = next((payload[box.start : box.end] for box in boxes_in(payload) if box.kind == "moov"), b"")
    tracks = [
        (one.track_id, one.timescale, one.entry[:3], one.width_px, one.height_px, one.sample_rate_hz, one.setup)
        for one in read_tracks(moov)
    ]
    return tracks, [moov[box.start : box.end] for box in boxes_in(moov) if box.kind == "trex"]


def _look(part: Path, run: Runner) -> object | None:
    """Return the same of a segment of MPEG-TS; None: it does not say, as no picture begins in it."""
    reply = run(probe(MediaInput(path=part, demuxer="mpegts")), timeout_s=_LOOK_S)
    told = json.loads(reply.stdout) if reply.returncode == 0 else {}
    shown = [one for one in told.get("streams", []) if one.get("codec_type") in ("video", "audio")]
    names = {"video": ("codec_name", "pix_fmt", "width", "height"), "audio": ("codec_name", "sample_rate", "channels")}
    kinds = [[str(one.get(name) or "") for name in names[one["codec_type"]]] for one in shown]
    return sorted(kinds) if kinds and all(all(each) and "0" not in each for each in kinds) else None


def _opened(fetched: FetchedTrack, scratch: Path, run: Runner) -> Source:
    """Return a stretch as a file, since only one input of ffmpeg can be a stream."""
    media = MediaInput(path=local_playlist(fetched, None, scratch), demuxer="hls")
    return probed(fetched, media, None, run=run)


def _stretch(one: _Run, main: _Run, sounds: int) -> Stretch:
    pictures, heard = one.of("video"), one.of("audio")
    if main.of("video") and not pictures:
        raise PackagingFailed("A part of the film has no picture, while others have one.")
    return Stretch(
        source=one.source.input if one.source else None,
        length_s=one.length_s,
        picture=pictures[0].number if pictures else None,
        sounds=tuple(heard[at].number if at < len(heard) else None for at in range(sounds)),
    )


def _shape(main: _Run, loud: _Run) -> Shape:
    picture, sound = next(iter(main.of("video")), None), next(iter(loud.of("audio")), None)
    width, height = (picture.size_px if picture else None) or (0, 0)
    return Shape(
        size_px=(width // 2 * 2, height // 2 * 2) if picture else None,
        frames_per_s=(picture.frames_per_s if picture else None) or "25",
        sample_rate_hz=(sound.sample_rate_hz if sound else None) or 48_000,
        channels=sound.channels if sound and sound.channels in (1, 6) else 2,
    )


def _placed(even: Source, first: _Run, main: _Run, loud: _Run) -> Source:
    """Return the source on the clock of the track it was made of, so that it lies where that lay."""
    streams: list[Stream] = []
    shift_s = 0.0
    for one in even.streams:
        at = sum(each.kind == one.kind for each in streams)
        told = (main if one.kind == "video" else loud).of(one.kind)[at:]
        if opening := first.of(one.kind)[at:]:
            shift_s = opening[0].heard_s - one.heard_s
        moved = replace(one, start_s=one.start_s + shift_s, heard_s=one.heard_s + shift_s)
        streams.append(replace(moved, language=told[0].language, title=told[0].title) if told else moved)
    return replace(even, streams=tuple(streams), is_placed=first.source is not None)
