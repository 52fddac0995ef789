"""Fetched parts in, a folder of playable files out: one CMAF file per track, manifests, subtitles, a poster."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import TrackInfo
from kinodom_common.errors import NoSpace
from kinodom_common.logs import get_log
from kinodom_common.media_tools import SubtitleOutput, TrackOutput
from kinodom_common.media_tools import package as package_command
from kinodom_common.processes import ProgramFailed, checked
from kinodom_common.processes import run as run_program
from kinodom_downloader.adapters.adopting import adopted
from kinodom_downloader.adapters.encoders import working_encoder
from kinodom_downloader.adapters.evening import open_evenly
from kinodom_downloader.adapters.headstart import with_head_start
from kinodom_downloader.adapters.loudness import loudness_lufs
from kinodom_downloader.adapters.manifest_files import write_manifests
from kinodom_downloader.adapters.posters import make_poster
from kinodom_downloader.adapters.retimed import layouts_of
from kinodom_downloader.adapters.sources import Runner, Source
from kinodom_downloader.adapters.sprites import make_sprites
from kinodom_downloader.adapters.text_tracks import FoundText, clean_texts, fetched_texts, inside_texts
from kinodom_downloader.adapters.track_files import TrackFile, file_sum, finish_track
from kinodom_downloader.adapters.track_plans import TrackPlan, plan_tracks
from kinodom_downloader.domain.boxes import BrokenBoxes
from kinodom_downloader.domain.chapters import CHAPTERS, chapters_of, chapters_vtt, fitting
from kinodom_downloader.domain.checks import PackagingFailed, check_duration, check_whole
from kinodom_downloader.domain.codecs import Coding
from kinodom_downloader.domain.hole_marks import holes_of
from kinodom_downloader.domain.manifests import MediaTrack, TextTrack, TrackSet
from kinodom_downloader.domain.shown import told_tracks
from kinodom_downloader.domain.timeline import places_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_common.contracts.offers import Skip
    from kinodom_common.contracts.videos import Hole
    from kinodom_downloader.adapters.other_dubs import Lent
    from kinodom_downloader.domain.fetched import Fetched

log = get_log(__name__)

FULL_BYTES = 4 * 1024 * 1024  # with less a disk is full: a fragment of a film is about as large
_FULL = "The disk is full. What was downloaded is kept; free some space and it goes on."
_SLOWEST = 30.0  # a transcode may take this many times the length of the film
_LEAST_S = 900.0
_UNKNOWN_LENGTH_S = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """What lies in the staging folder now."""

    tracks: tuple[TrackInfo, ...]
    duration_s: float
    height_px: int | None  # None: sound only
    size_bytes: int
    skips: tuple[Skip, ...]
    holes: tuple[Hole, ...]
    sprites: bool  # there are small pictures for the seek bar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tell:
    """The caller's ports."""

    run: Runner
    coding: Coding
    progress: Callable[[float], None]
    stopped: Callable[[], bool]


def package(
    fetched: Fetched,
    out: Path,
    *,
    run: Runner = run_program,
    coding: Coding = Coding(),  # noqa: B008  # frozen
    language: str | None = None,
    translation_name: str = "",
    skips: Sequence[Skip] = (),
    other_dubs: Callable[[TrackSet, Path], Sequence[Lent]] = lambda _tracks, _out: (),
    full_bytes: int = FULL_BYTES,
    progress: Callable[[float], None] = lambda _fraction: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Packaged:
    """Write all files of a video but its metadata into a new folder, and return what they are.

    Args:
        fetched: whole and checked parts; they are only read, and a track that is gathered gets its index.
        out: the staging folder; it must not exist. After an error it may hold half of the files: delete it.
        run: the program runner.
        coding: of pictures that are converted; an encoder that does not work here is replaced by `libx264`.
        language: BCP 47, of the sound when the source does not say.
        translation_name: name of the dub, the label of the first sound track.
        skips: parts that most people pass over, as the source said; they become chapters.
        other_dubs: links sounds of other dubs of the same picture into the folder and returns them.
        full_bytes: a disk with fewer bytes left is full, and what goes wrong there is want of room.
        progress: called with 0 to 1 while the tracks are written.
        stopped: asked a few times a second; yes ends the work.

    Raises:
        PackagingFailed: a check failed; its code says which. Trying again does not help.
        NotPlayable: a codec we neither play nor convert.
        BrokenBoxes: a source file is cut.
        ProgramFailed, ProgramTimeout, ProgramMissing, ProgramStopped, NoSpace: see `kinodom_common.processes`.
    """
    out.mkdir(parents=True)
    tell = _Tell(run=run, coding=coding, progress=progress, stopped=stopped)
    with (
        _told_when_full(out, full_bytes),
        tempfile.TemporaryDirectory(prefix=f".{out.name[:40]}-", dir=out.parent) as folder,
        with_head_start(fetched, Path(folder), run=run, stopped=stopped) as early,
    ):
        tracks, holes = _build(fetched, out, Path(folder), language, translation_name, replace(tell, run=early))
    with ThreadPoolExecutor(1) as pool:  # it lets go of the interpreter, and the programs beside it wait for no sum
        sums = pool.map(file_sum, [out / track.file for track in tracks.media])
        loud = _loudness(tracks, out, tell)
        sprites = _pictures(tracks, out, tell, full_bytes)
    own = told_tracks(tracks, dict(zip((track.file for track in tracks.media), sums, strict=True)), loud)
    lent = other_dubs(tracks, out)
    tracks = replace(tracks, audio=(*tracks.audio, *(one.track for one in lent)))
    write_manifests(tracks, out)
    skips = _write_chapters(skips, tracks.duration_s, out)
    return Packaged(
        tracks=(*own, *(one.told for one in lent)),
        duration_s=tracks.duration_s,
        height_px=tracks.video.height_px if tracks.video else None,
        size_bytes=sum(path.stat().st_size for path in out.iterdir()) - sum(one.track.size_bytes for one in lent),
        sprites=sprites,
        skips=skips,
        holes=holes,
    )


@contextmanager
def _told_when_full(folder: Path, full_bytes: int) -> Iterator[None]:
    """Raise NoSpace for what goes wrong on a full disk: ffmpeg ends well there, with a file that is cut.

    Raises:
        NoSpace: the disk has hardly a byte left.
    """
    try:
        yield
    except (PackagingFailed, BrokenBoxes, ProgramFailed) as exc:
        if shutil.disk_usage(folder).free >= full_bytes:
            raise
        raise NoSpace(_FULL) from exc


def _build(
    fetched: Fetched, out: Path, scratch: Path, language: str | None, translation_name: str, tell: _Tell
) -> tuple[TrackSet, tuple[Hole, ...]]:
    """Write and check all tracks and subtitles, and return them with the holes that they have."""
    media = [one for one in fetched.tracks if one.role != "subtitles"]
    sources = [
        open_evenly(one, layout, scratch, run=tell.run, stopped=tell.stopped)
        for one, layout in zip(media, layouts_of(media), strict=True)
    ]
    plans = plan_tracks(sources, language, translation_name)
    places = [at_s + one.lead_s for one, at_s in zip(plans, places_s([each.begin_s for each in plans]), strict=True)]
    base_s = plans[0].start_s - places[0]
    texts = fetched_texts(fetched, base_s)
    files: dict[str, TrackFile] = {}
    for number, source in enumerate(sources):
        mine = [plan for plan in plans if plan.source is source]
        if mine and (file := adopted(mine, out, place_s=places[plans.index(mine[0])])):
            files[mine[0].file] = file
            tell.progress((number + 1) / len(sources))
        elif mine:
            inside = inside_texts(source, scratch, base_s)
            _write(source, mine, inside, out, tell, done=number / len(sources), share=1 / len(sources))
            texts += [text for text, _output in inside]
    made = [files.get(plan.file) or _finished(plan, out, at_s) for plan, at_s in zip(plans, places, strict=True)]
    holes = holes_of([(plan.kind, plan.holes_s(at_s)) for plan, at_s in zip(plans, places, strict=True)])
    tracks = _track_set(plans, made, clean_texts(texts, out))
    tracks = replace(tracks, least_s=max((hole.to_s for hole in holes), default=0.0))
    check_whole(tracks.duration_s, fetched)
    return tracks, holes


def _write(
    source: Source,
    plans: Sequence[TrackPlan],
    texts: Sequence[tuple[FoundText, SubtitleOutput]],
    out: Path,
    tell: _Tell,
    *,
    done: float,
    share: float,
) -> None:
    """Write the planned tracks and the subtitles of one source in one pass."""
    length_s = next((length.duration_s for plan in plans if (length := plan.length())), None)
    converts = any(plan.handling.treatment == "h264" for plan in plans)
    encoder = working_encoder(tell.coding.encoder, run=tell.run) if converts else tell.coding.encoder
    outputs: list[TrackOutput | SubtitleOutput] = [plan.output(out, encoder) for plan in plans]
    outputs += [output for _text, output in texts]

    def on_line(line: str) -> None:
        key, _, value = line.partition("=")
        if key == "out_time_us" and length_s and value.isdigit():
            tell.progress(done + share * min(1.0, int(value) / 1e6 / length_s))

    finished = tell.run(
        package_command(source.input, outputs),
        timeout_s=max(_LEAST_S, length_s * _SLOWEST) if length_s else _UNKNOWN_LENGTH_S,
        stdin_parts=source.stdin_parts,
        on_line=on_line,
        stopped=tell.stopped,
    )
    checked(finished, "ffmpeg")
    if complaints := finished.stderr.splitlines():  # of sources that are a little damaged; most films have none
        log.warning("ffmpeg_complained", role=source.fetched.role, lines=len(complaints), first=complaints[0][:200])
    tell.progress(done + share)


def _finished(plan: TrackPlan, out: Path, place_s: float) -> TrackFile:
    file = finish_track(out / plan.file, start_s=place_s)
    check_duration(plan.file, file.index, plan.length())
    return file


def _track_set(plans: Sequence[TrackPlan], files: Sequence[TrackFile], text: tuple[TextTrack, ...]) -> TrackSet:
    media = [
        MediaTrack(
            file=plan.file,
            index=file.index,
            codec=file.codec,
            size_bytes=file.size_bytes,
            language=plan.language,
            label=plan.label,
            width_px=file.track.width_px,
            height_px=file.track.height_px,
            sample_rate_hz=file.track.sample_rate_hz,
        )
        for plan, file in zip(plans, files, strict=True)
    ]
    if plans[0].kind == "video":
        return TrackSet(video=media[0], audio=tuple(media[1:]), text=text)
    return TrackSet(video=None, audio=tuple(media), text=text)


def _loudness(tracks: TrackSet, out: Path, tell: _Tell) -> dict[str, float | None]:
    return {
        one.file: loudness_lufs(out / one.file, tracks.duration_s, run=tell.run, stopped=tell.stopped)
        for one in tracks.audio
    }


def _pictures(tracks: TrackSet, out: Path, tell: _Tell, full_bytes: int) -> bool:
    """Write the poster and the small pictures for the seek bar; return whether the latter are there.

    A film is whole without them, but not because its disk was full: that passes.
    """
    if tracks.video is None:
        return False
    poster = make_poster(out / tracks.video.file, tracks.duration_s, out, run=tell.run)
    sprites = make_sprites(tracks.video, tracks.duration_s, out, run=tell.run, stopped=tell.stopped)
    if (poster is None or not sprites) and shutil.disk_usage(out).free < full_bytes:
        raise NoSpace(_FULL)
    return sprites


def _write_chapters(skips: Sequence[Skip], duration_s: float, out: Path) -> tuple[Skip, ...]:
    fit = fitting(skips, duration_s)
    if fit:
        (out / CHAPTERS).write_text(chapters_vtt(chapters_of(fit, duration_s)), encoding="utf-8")
    return fit
