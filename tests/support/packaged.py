"""What a packaged film is, so that two of them can be compared: how long, in which codecs, with which samples."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.domain.fetched import Fetched
from tests.support.periods import frames_of


@dataclass(frozen=True, slots=True)
class Film:
    """One packaged film."""

    codecs: tuple[str | None, ...]
    duration_s: float
    frames: int
    pictures: str  # of all decoded frames
    sounds: tuple[str, ...]  # of all frames of each, as they are coded


def packaged(fetched: Fetched, out: Path) -> Film:
    """Package what was fetched and return what came out."""
    made = package(fetched, out)
    picture, *others = made.tracks
    sounds = [track for track in others if track.kind == "audio"]
    return Film(
        codecs=tuple(track.codec for track in made.tracks),
        duration_s=round(made.duration_s, 3),
        frames=frames_of(out / picture.file),
        pictures=pictures_of(out / picture.file),
        sounds=tuple(sounds_of(out / track.file) for track in sounds),
    )


def pictures_of(*films: Path) -> str:
    """Return one hash over all frames of files in this order."""
    return _sum("-map", "0:v", "-f", "rawvideo", films=films)


def sounds_of(*films: Path) -> str:
    """Return one hash over the coded sound of files in this order."""
    return _sum("-map", "0:a", "-c", "copy", "-f", "adts", films=films)


def _sum(*words: str, films: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for film in films:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), *words, "-"]
        digest.update(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)
    return digest.hexdigest()
