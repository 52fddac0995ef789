from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.egress import EgressRules
from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters import imports
from kinodom_downloader.adapters.fetcher import EngineFetcher
from kinodom_downloader.domain.faults import (
    ImportChanged,
    ImportGone,
    ImportOff,
    ImportRefused,
    ImportUnreadable,
    NotMedia,
    SegmentBad,
    Stopped,
)
from kinodom_downloader.domain.fetched import Fetched, Headway
from kinodom_downloader.domain.wishes import LeaseLost
from tests.support import media
from tests.support.wants import LoopWants

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    (folder / "Tin Light").mkdir(parents=True)
    (folder / "Tin Light/Tin 1.mp4").write_bytes(media.film_mp4().read_bytes())
    (folder / "Tin Light/Tin 1.en.srt").write_bytes(SRT)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def offer(path: str = "Tin%20Light/Tin%201.mp4", *texts: str) -> Offer:
    subtitles = tuple(SubtitleOffer(url=f"file-import:{text}", language="en") for text in texts)
    return Offer(source="folder", url=f"file-import:{path}", delivery="file", height_px=180, subtitles=subtitles)


def copied(
    one: Offer,
    root: Path | None,
    work: Path,
    *,
    on_progress: Callable[[Headway], None] = lambda _progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    piece_bytes: int = 1_000_000,
) -> Fetched:
    return imports.copy_in(
        one, work, root=root, on_progress=on_progress, should_stop=should_stop, piece_bytes=piece_bytes
    )


def padded(size: int) -> bytes:
    film = media.film_mp4().read_bytes()
    free = size - len(film)
    return film + free.to_bytes(4) + b"free" + b"\x5a" * (free - 8)


def test_a_film_and_its_subtitles_are_copied_and_the_originals_stay(root: Path, work: Path) -> None:
    told: list[Headway] = []

    fetched = copied(
        offer("Tin%20Light/Tin%201.mp4", "Tin%20Light/Tin%201.en.srt"), root, work, on_progress=told.append
    )

    film, text = fetched.tracks
    assert (film.role, film.container) == ("muxed", "mp4")
    assert film.parts[0].read_bytes() == media.film_mp4().read_bytes()
    assert not film.parts[0].samefile(root / "Tin Light/Tin 1.mp4")
    assert (text.role, text.container, text.language) == ("subtitles", "srt", "en")
    assert told[-1].fraction == 1.0
    assert (root / "Tin Light/Tin 1.mp4").read_bytes() == media.film_mp4().read_bytes()


def test_the_fetcher_hands_files_to_the_import_and_a_lost_lease_ends_it(root: Path, work: Path) -> None:
    fetch = EngineFetcher(EgressRules(frozenset()), workers=1, user_agent="x", wants=LoopWants(), import_root=root)

    fetched = fetch(offer(), work, wanted_height_px=None, on_progress=lambda _p: None, should_stop=lambda: False)

    assert fetched.tracks[0].container == "mp4"
    with pytest.raises(LeaseLost):
        fetch(offer(), work / "b", wanted_height_px=None, on_progress=lambda _p: None, should_stop=lambda: True)


def test_the_engine_opens_no_file_for_an_offer_that_says_something_else(root: Path, work: Path) -> None:
    fetch = EngineFetcher(EgressRules(frozenset()), workers=1, user_agent="x", wants=LoopWants(), import_root=root)
    wrong = offer().model_copy(update={"delivery": "progressive"})

    with pytest.raises(KinodomError) as caught:
        fetch(wrong, work, wanted_height_px=None, on_progress=lambda _p: None, should_stop=lambda: False)

    assert caught.value.code == "scheme_refused"


@pytest.mark.parametrize(
    "path",
    [
        "../films/Tin%20Light/Tin%201.mp4",
        "Tin%20Light/%2E%2E/%2e%2e/secret.mp4",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "Tin%20Light//Tin%201.mp4",
        "Tin%20Light/.",
        "",
        "Tin%00Light",
        "link.mp4",
        "folder-link/secret.mp4",
        "Tin%20Light",
        "Tin%20Light/Tin%201.mp4/x",
        "pipe",
    ],
)
def test_no_address_leads_out_of_the_folder(root: Path, work: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.mp4").write_bytes(media.film_mp4().read_bytes())
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "folder-link").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")

    with pytest.raises(ImportRefused):
        copied(offer(path), root, work)

    assert not work.exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/x", "x"])
def test_another_kind_of_address_is_refused(root: Path, work: Path, url: str) -> None:
    with pytest.raises(ImportRefused):
        copied(offer().model_copy(update={"url": url}), root, work)


def test_what_is_gone_is_not_found(root: Path, work: Path) -> None:
    with pytest.raises(ImportGone):
        copied(offer("Tin%20Light/gone.mp4"), root, work)


def test_without_a_folder_nothing_is_imported(work: Path) -> None:
    with pytest.raises(ImportOff):
        copied(offer(), None, work)


def test_a_folder_that_is_away_is_worth_another_try(root: Path, work: Path) -> None:
    with pytest.raises(ImportUnreadable):
        copied(offer(), root / "away", work)


def test_a_name_that_is_no_utf_8_is_found(root: Path, work: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xe9t\xe9.mp4")).write_bytes(media.film_mp4().read_bytes())

    fetched = copied(offer("%E9t%E9.mp4"), root, work)

    assert fetched.tracks[0].container == "mp4"


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"#!/bin/sh\n" * 100, NotMedia), (b"", NotMedia), (b"<html>", NotMedia)],
    ids=["script", "empty", "page"],
)
def test_what_is_no_film_does_not_get_in(root: Path, work: Path, content: bytes, fault: type[KinodomError]) -> None:
    (root / "x.mkv").write_bytes(content)

    with pytest.raises(fault):
        copied(offer("x.mkv"), root, work)


def test_a_film_that_is_not_whole_yet_is_worth_another_try(root: Path, work: Path) -> None:
    whole = media.film_mp4().read_bytes()
    (root / "x.mp4").write_bytes(whole[:-1000])
    with pytest.raises(SegmentBad):
        copied(offer("x.mp4"), root, work)
    (root / "x.mp4").write_bytes(whole)

    fetched = copied(offer("x.mp4"), root, work)

    assert fetched.tracks[0].parts[0].read_bytes() == whole


def test_stopped_in_the_middle_it_goes_on_from_there(root: Path, work: Path) -> None:
    (root / "long.mp4").write_bytes(padded(5_000_000))
    asked = iter(range(1000))
    with pytest.raises(Stopped):
        copied(offer("long.mp4"), root, work, should_stop=lambda: next(asked) > 40)
    told: list[Headway] = []

    fetched = copied(offer("long.mp4"), root, work, on_progress=told.append)

    assert told[0].segments_done >= 2
    assert fetched.tracks[0].parts[0].read_bytes() == padded(5_000_000)


def test_a_file_that_changed_since_is_copied_anew(root: Path, work: Path) -> None:
    first, second = padded(3_000_000), padded(3_000_000).replace(b"\x5a", b"\x5b")
    (root / "x.mp4").write_bytes(first)
    copied(offer("x.mp4"), root, work)
    (root / "x.mp4").write_bytes(second)
    os.utime(root / "x.mp4", (5, 5))

    fetched = copied(offer("x.mp4"), root, work)

    assert fetched.tracks[0].parts[0].read_bytes() == second


def test_a_file_that_changes_while_it_is_copied_is_not_taken(root: Path, work: Path) -> None:
    file = root / "Tin Light/Tin 1.mp4"

    def touch() -> bool:
        os.utime(file, (7, 7))
        return False

    with pytest.raises(ImportChanged):
        copied(offer(), root, work, should_stop=touch)

    assert not (work / "plan.json").exists()


def test_a_file_that_becomes_shorter_is_worth_another_try(root: Path, work: Path) -> None:
    def cut() -> bool:
        os.truncate(root / "Tin Light/Tin 1.mp4", 5_000)
        return False

    with pytest.raises(ImportChanged):
        copied(offer(), root, work, should_stop=cut)


def test_subtitles_that_are_none_or_lead_out_cost_only_themselves(root: Path, work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.srt").write_bytes(SRT)
    (root / "bad.srt").write_bytes(b"<html>")

    fetched = copied(
        offer("Tin%20Light/Tin%201.mp4", "bad.srt", "../secret.srt", "gone.srt", "Tin%20Light/Tin%201.en.srt"),
        root,
        work,
    )

    assert [track.role for track in fetched.tracks] == ["muxed", "subtitles"]
    assert fetched.tracks[1].parts[0].read_bytes() == SRT
