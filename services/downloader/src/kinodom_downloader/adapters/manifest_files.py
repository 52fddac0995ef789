"""The manifests of a folder: written from its tracks, and read back for what only they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # our own files alone

from kinodom_downloader.domain.languages import UNKNOWN
from kinodom_downloader.domain.manifests import (
    dash_manifest,
    hls_master,
    hls_playlist,
    hls_text_playlist,
    playlist_name,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_downloader.domain.manifests import TrackSet

DASH, HLS = "manifest.mpd", "master.m3u8"
_SPACE = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a manifest says of a track for people."""

    language: str  # BCP 47
    label: str


def write_manifests(tracks: TrackSet, out: Path) -> None:
    """Write `manifest.mpd`, `master.m3u8` and a playlist for each track into a folder."""
    texts = {DASH: dash_manifest(tracks), HLS: hls_master(tracks)}
    texts |= {playlist_name(track.file): hls_playlist(track) for track in tracks.media}
    texts |= {playlist_name(track.file): hls_text_playlist(track, tracks.duration_s) for track in tracks.text}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")


def is_manifest(name: str) -> bool:
    """Tell whether `write_manifests` writes a file of this name."""
    return name.endswith((".mpd", ".m3u8"))


def told_by_manifest(folder: Path) -> dict[str, Told]:
    """Return what the manifest of a published folder says of its tracks, by file."""
    told = {}
    for one in ET.fromstring((folder / DASH).read_bytes()).iter(f"{_SPACE}AdaptationSet"):  # noqa: S314  # ours
        for file in one.iter(f"{_SPACE}BaseURL"):
            label = one.findtext(f"{_SPACE}Label", default="")
            told[file.text or ""] = Told(one.get("lang", UNKNOWN), label)
    return told
