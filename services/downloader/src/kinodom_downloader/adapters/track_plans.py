"""Which streams of the sources become which track files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kinodom_common.logs import get_log
from kinodom_common.media_tools import TrackOutput
from kinodom_downloader.domain.checks import NothingToPlay, Plan, plan_of
from kinodom_downloader.domain.codecs import Handling, NotPlayable, audio_handling, video_handling
from kinodom_downloader.domain.languages import UNKNOWN, distinct_name, language_name, language_tag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kinodom_common.media_tools import Encoder
    from kinodom_downloader.adapters.sources import Source, Stream

log = get_log(__name__)

_RUNS_COPIED = 3  # so far the sound is within 40 ms
_AAC_PRIMING_SAMPLES = 1024  # the AAC encoder's first frame begins this much before the sound it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPlan:
    """One track that will be written."""

    source: Source
    stream: Stream
    kind: Literal["video", "audio"]
    handling: Handling
    file: str
    language: str = UNKNOWN
    label: str = ""
    begins_s: float | None = None  # where its first sample belongs, on the picture's clock; None: where it says itself

    @property
    def start_s(self) -> float:
        """Where its first packet will belong, on the source's clock."""
        if self.begins_s is not None:
            return self.begins_s + self.stream.start_s - self.stream.heard_s
        if self.kind == "audio" and self.handling.treatment != "copy":
            return self.stream.heard_s - _AAC_PRIMING_SAMPLES / (self.stream.sample_rate_hz or 48_000)
        return self.stream.start_s

    @property
    def lead_s(self) -> float:
        """How much of the film is missing before its first packet."""
        return self.source.layout.lead_s if self.source.layout else 0.0

    @property
    def begin_s(self) -> float:
        """Where it would begin if nothing were missing, on the source's clock."""
        return self.start_s - self.lead_s

    def holes_s(self, place_s: float) -> list[tuple[float, float]]:
        """Return what is missing of it when its first packet lies at this place of the film."""
        found = self.source.layout.holes_s if self.source.layout else ()
        return [(place_s + from_s, place_s + to_s) for from_s, to_s in found]

    def output(self, folder: Path, encoder: Encoder = "libx264") -> TrackOutput:
        """Return it as ffmpeg is told."""
        return TrackOutput(
            path=folder / self.file,
            kind=self.kind,
            stream=self.stream.number,
            treatment=self.handling.treatment,
            encoder=encoder,
            tag=self.handling.tag,
            bitstream=self.handling.bitstream,
            channels=self.stream.channels,
            fill=_is_broken(self.source),
        )

    def length(self) -> Plan | None:
        """Return how long the source's track is, as far as it is known."""
        layout = self.source.layout
        inside_s = layout.inside_s if layout else 0.0
        if planned := plan_of(self.source.fetched.durations_s, len(self.source.fetched.breaks)):
            return replace(planned, duration_s=planned.duration_s + inside_s)
        if not self.source.is_whole_file:
            return None
        known_s = self.stream.duration_s
        if known_s is None and self.kind == "video":
            known_s = self.source.duration_s
        return None if known_s is None else Plan(duration_s=known_s, tolerance_s=1.0)


def plan_tracks(sources: Sequence[Source], language: str | None, translation_name: str) -> list[TrackPlan]:
    """Return the first picture and every sound that can be played, the picture first.

    A sound that cannot be played is left out as long as another one can.

    Raises:
        NothingToPlay: there is neither.
        NotPlayable: there is something, but nothing we can play or convert.
    """
    plans = _picture(sources)
    refused: NotPlayable | None = None
    taken: set[str] = set()
    for source in sources:
        for stream in source.streams:
            if stream.kind != "audio" or source.fetched.role == "video":
                continue
            try:
                plan = _sound(source, stream, language, translation_name, taken)
                plans.append(plan if source.is_placed or not plans else replace(plan, begins_s=plans[0].start_s))
            except NotPlayable as exc:
                refused = exc
    if refused is not None and not taken:
        raise refused
    if not plans:
        raise NothingToPlay("What was downloaded holds neither a picture nor a sound.")
    return plans


def _picture(sources: Sequence[Source]) -> list[TrackPlan]:
    for source in sources:
        for stream in source.streams:
            if stream.kind == "video" and source.fetched.role != "audio":
                handling = video_handling(stream.codec, stream.pixel_format, stream.profile)
                if handling.warning:
                    log.warning("picture_not_for_every_screen", codec=stream.codec, pixels=stream.pixel_format)
                return [TrackPlan(source=source, stream=stream, kind="video", handling=handling, file="v.mp4")]
    return []


def _sound(source: Source, stream: Stream, language: str | None, translation_name: str, taken: set[str]) -> TrackPlan:
    fetched = source.fetched
    assert fetched.container in ("ts", "fmp4", "mp4", "webm", "aac")
    handling = audio_handling(stream.codec, fetched.container, stream.profile)
    if _is_broken(source):
        handling = Handling(treatment="aac")
    tag = language_tag(fetched.language)
    tag = language_tag(stream.language) if tag == UNKNOWN else tag
    tag = language_tag(language) if tag == UNKNOWN and not taken else tag
    label = fetched.name or stream.title or ("" if taken else translation_name) or language_name(tag)
    file = distinct_name("a", tag, taken) + ".mp4"
    return TrackPlan(
        source=source, stream=stream, kind="audio", handling=handling, file=file, language=tag, label=label
    )


def _is_broken(source: Source) -> bool:
    """Return whether copied sound would leave the picture.

    Players put one frame of sound behind the other and believe no time in between: what follows a hole would come too
    early, and at each discontinuity the sound is up to a frame longer or shorter than the picture.
    """
    layout = source.layout
    return layout is not None and (layout.inside_s > 0 or len(set(layout.runs_s)) > _RUNS_COPIED)
