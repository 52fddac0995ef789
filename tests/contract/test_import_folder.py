"""What the resolver offers of the import folder, the downloader can open."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinodom_downloader.adapters import imports
from kinodom_resolver.sources.folder import Folder
from tests.support import media

NAMES = (
    "Tin Light (1928).mp4",
    "Жестяной маяк.mp4",
    "100% #1? & more.mp4",
    "a+b=c;d,'e' [f].mp4",
    "Film/Film (2001).mp4",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_offered_can_be_copied(tmp_path: Path, name: str) -> None:
    root = tmp_path / "films"
    file = root / name
    file.parent.mkdir(parents=True)
    file.write_bytes(media.film_mp4().read_bytes())
    file.with_suffix(".de.srt").write_bytes(b"1\n00:00:01,000 --> 00:00:02,000\nHallo\n")
    source = Folder(str(root))
    hit = source.search("".join(char if char.isalnum() else " " for char in file.stem))[0]
    (offer,) = source.offers(hit.external_id, None, None, "original")

    fetched = imports.copy_in(
        offer, tmp_path / "work", root=root, on_progress=lambda _progress: None, should_stop=lambda: False
    )

    assert [(track.role, track.container, track.language) for track in fetched.tracks] == [
        ("muxed", "mp4", None),
        ("subtitles", "srt", "de"),
    ]
