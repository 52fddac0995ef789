"""A film that is still coming, as a player sees it: whole playlists over pieces of which few are there yet.

The playlists list the whole film from the first second, under names of our own and without keys: what lies on the
disk is opened already. Whoever asks for a piece that is not there waits at the door (`domain/door.py`).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from kinodom_downloader.domain.plan import Plan, TrackPlan

FACTS, HAVE = "live.json", "have.json"
MASTER, FILM = "master.m3u8", "film"
SLICE_BYTES: Final = 1_048_576  # of a single file; `nginx/conf.d/live.conf` asks for it in such slices
USUAL_BIT_S: Final = 4_000_000  # of a picture whose source does not say
NEXT: Final = 3  # pieces after one that somebody waits for, which will be asked for in a moment
_WAITED, _INIT, _NEXT, _BEHIND = -10.0, -9.0, -5.0, 1e7  # urgencies; the last is of what lies behind all viewers


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """One piece of a film: the number of its track and its own, both from 0."""

    track: int
    index: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where somebody watches."""

    spot: Spot
    at_s: float
    heard_s: float  # when it was told, on a monotonic clock


def generation(plan: Plan) -> str:
    """Return a name for this cutting of the film: 8 hexadecimal digits, other ones when its pieces are others."""
    text = repr([track.identity() for track in plan.tracks])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def shape_of(plan: Plan) -> Literal["hls", "file", "none"]:
    """Return how a player takes the film: as playlists, as one file by ranges, or not before it is ready."""
    media = _media(plan)
    if any(track.silences for _number, track in media):
        return "none"  # players stop where a sound has nothing
    if all(track.shape == "segments" for _number, track in media):
        return "hls"
    return "file" if len(media) == 1 and media[0][1].file_bytes else "none"


def facts(plan: Plan, holes: Sequence[tuple[float, float]] = ()) -> str:
    """Return the text of `live.json`: what a player must know before it asks for anything else.

    Args:
        plan: of the film.
        holes: stretches of it that do not come.
    """
    return json.dumps(
        {
            "generation": generation(plan),
            "shape": shape_of(plan),
            "single": _single(plan),
            "duration_s": plan.duration_s,
            "holes": [{"from_s": from_s, "to_s": to_s, "lacks": "all"} for from_s, to_s in holes],
            "height_px": next((track.height_px for track in plan.tracks if track.height_px), None),
            "texts": [
                {"file": text_file(number), "language": track.language or "und", "label": track.name or ""}
                for number, track in enumerate(plan.tracks)
                if track.role == "subtitles"
            ],
        },
        ensure_ascii=False,
    )


def playlists(plan: Plan, missing: Collection[Spot] = ()) -> dict[str, str]:
    """Return the playlists of a film in segments, by file name; pieces that do not come are marked as gaps."""
    media = _media(plan)
    texts = {f"t{number}.m3u8": _playlist(number, track, missing) for number, track in media}
    texts[MASTER] = _master(media)
    return texts


def piece_path(track: int, index: int) -> str:
    """Return where a whole piece lies below the folder of the parts; `nginx/conf.d/live.conf` knows it too."""
    return f"t{track}/{index:06d}.seg"


def piece_file(spot: Spot) -> str:
    """Return the name under which a player asks for a piece."""
    return f"t{spot.track}-{spot.index:06d}.seg"


def gone_file(spot: Spot) -> str:
    """Return the name of the empty file that says that a piece does not come; it lies beside the playlists."""
    return f"gone/{piece_file(spot)}"


def text_file(track: int) -> str:
    """Return the name of the subtitles that a track becomes."""
    return f"s{track}.vtt"


def starts_s(plan: Plan) -> list[list[float]]:
    """Return where each piece begins, seconds from the start of the film, by track and index.

    Of a single file nobody knows: its bytes are spread evenly over its length.
    """
    return [_starts(track, plan.duration_s) for track in plan.tracks]


def first_heads(plan: Plan, now_s: float) -> list[Head]:
    """Return where everybody begins, on each track that is seen or heard at first."""
    heads = []
    for number, track in _media(plan)[:2]:
        index = next((at for at, segment in enumerate(track.segments) if not segment.is_init), 0)
        heads.append(Head(Spot(number, index), 0.0, now_s))
    return heads


def urgencies(plan: Plan, starts: Sequence[Sequence[float]], heads: Collection[Head]) -> list[list[float]]:
    """Return the urgency of every piece, by track and index, the smallest first.

    What somebody waits for comes first, then what follows each of them closest, at last what lies behind all.
    """
    waited = {head.spot for head in heads}
    return [
        [
            _urgency(Spot(number, index), at_s, heads, waited, is_init=segment.is_init)
            for index, (segment, at_s) in enumerate(zip(track.segments, starts[number], strict=True))
        ]
        for number, track in enumerate(plan.tracks)
    ]


def have(plan: Plan, starts: Sequence[Sequence[float]], there: Collection[Spot]) -> list[list[float]]:
    """Return the stretches of the film that are on the disk, each `[from, to]` in seconds, of its main track."""
    number, track = _media(plan)[0]
    ends = [*starts[number][1:], plan.duration_s or starts[number][-1]]
    found: list[list[float]] = []
    for index, segment in enumerate(track.segments):
        if segment.is_init or Spot(number, index) not in there:
            continue
        begins, over = starts[number][index], ends[index]
        if found and begins - found[-1][1] < 0.01:
            found[-1][1] = round(over, 3)
        else:
            found.append([round(begins, 3), round(over, 3)])
    return found


def _single(plan: Plan) -> str | None:
    """Return the one playlist of a film that has no more, which saves a player the way over the master."""
    media = _media(plan)
    return f"t{media[0][0]}.m3u8" if len(media) == 1 else None


def _media(plan: Plan) -> list[tuple[int, TrackPlan]]:
    return [(number, track) for number, track in enumerate(plan.tracks) if track.role != "subtitles"]


def _starts(track: TrackPlan, duration_s: float | None) -> list[float]:
    if track.shape == "segments":
        return list(accumulate((segment.duration_s for segment in track.segments[:-1]), initial=0.0))
    whole = track.file_bytes or 0
    return [(segment.offset or 0) / whole * (duration_s or 0.0) if whole else 0.0 for segment in track.segments]


def _urgency(spot: Spot, at_s: float, heads: Iterable[Head], waited: Collection[Spot], *, is_init: bool) -> float:
    if spot in waited:
        return _WAITED
    if is_init:
        return _INIT
    steps = [spot.index - head.spot.index for head in heads if head.spot.track == spot.track]
    if near := [step for step in steps if 0 < step <= NEXT]:
        return _NEXT + min(near)
    ahead = [at_s - head.at_s for head in heads if at_s >= head.at_s]
    return min(ahead) if ahead else _BEHIND + at_s


def _playlist(number: int, track: TrackPlan, missing: Collection[Spot]) -> str:
    longest_s = max((segment.duration_s for segment in track.segments), default=0.0)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest_s))}"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for index, segment in enumerate(track.segments):
        name = piece_file(Spot(number, index))
        lines += ["#EXT-X-DISCONTINUITY"] if segment.breaks else []
        lines += ["#EXT-X-GAP"] if Spot(number, index) in missing else []
        lines += [f'#EXT-X-MAP:URI="{name}"'] if segment.is_init else [f"#EXTINF:{segment.duration_s:.6f},", name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _master(media: Sequence[tuple[int, TrackPlan]]) -> str:
    (main, picture), *sounds = media
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for at, (number, track) in enumerate(sounds):
        name = _quoted(track.name or track.language or f"{number}")
        language = f',LANGUAGE="{_quoted(track.language)}"' if track.language else ""
        chosen = "YES" if at == 0 else "NO"
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{name}"{language},DEFAULT={chosen},AUTOSELECT=YES,'
            f'URI="t{number}.m3u8"'
        )
    group = ',AUDIO="a"' if sounds else ""
    return "\n".join(
        [*lines, f"#EXT-X-STREAM-INF:BANDWIDTH={picture.bandwidth or USUAL_BIT_S}{group}", f"t{main}.m3u8", ""]
    )


def _quoted(text: str | None) -> str:
    return "".join(char for char in text or "" if char not in '"\\' and char.isprintable())
