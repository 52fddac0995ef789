"""The check of the house finds what differs between disk and catalogue, and mends it."""

from __future__ import annotations

import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import Video, VideoIn, VideoList
from kinodom_common.ids import folder_of
from kinodom_downloader import fsck
from kinodom_downloader.adapters.publish import find_published, publish
from kinodom_downloader.adapters.shelves import LibraryShelves
from kinodom_downloader.domain.checking import PAGE, Outcome, check

IDS = [f"{number:02x}" * 32 for number in range(4)]


def a_film(size_bytes: int = 6) -> VideoIn:
    return VideoIn(
        title=TitleCard(external_id="demo:salt", name="Salt"),
        external_id="demo:salt",
        duration_s=24.0,
        size_bytes=size_bytes,
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


class Books:
    """A catalogue in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Video] = {}

    def videos(self, *, limit: int, after: str | None = None) -> VideoList:
        ids = sorted(self.kept)
        begin = ids.index(after) + 1 if after else 0
        return VideoList(videos=tuple(self.kept[one] for one in ids[begin : begin + limit]), total=len(ids))

    def register_video(self, video_id: str, video: VideoIn) -> object:
        self.kept[video_id] = Video(video_id=video_id, title_id="t1", **video.model_dump(exclude={"title"}))
        return None

    def delete_video(self, video_id: str) -> None:
        self.kept.pop(video_id, None)


class House:
    def __init__(self, root: Path) -> None:
        self.root, self.books, self.said = root, Books(), list[str]()

    def add(self, video_id: str) -> Path:
        staging = self.root / "work" / video_id
        staging.mkdir(parents=True)
        (staging / "manifest.mpd").write_bytes(b"<MPD/>")
        made = publish(
            staging,
            self.root / "library",
            video_id,
            a_film(),
            source="demo",
            fence=lambda: None,
            trash=self.root / "trash",
        )
        self.books.register_video(video_id, a_film())
        return made.folder

    def check(self, *, repair: bool = False, with_sums: bool = False) -> Outcome:
        self.said.clear()
        shelves = LibraryShelves(self.root)
        return check(books=self.books, shelves=shelves, repair=repair, with_sums=with_sums, say=self.said.append)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    for video_id in IDS:
        made.add(video_id)
    return made


def test_a_house_in_order_has_nothing_to_tell(house: House) -> None:
    seen = house.check(with_sums=True)

    assert (seen.is_well, seen.folders, seen.rows, house.said) == (True, 4, 4, [])


def test_looking_changes_nothing(house: House) -> None:
    house.books.delete_video(IDS[0])
    shutil.rmtree(house.root / "library" / folder_of(IDS[1]))

    first, second = house.check(), house.check()

    assert first == second
    assert (first.found, first.mended, first.is_well) == (2, 0, False)


def test_what_differs_is_mended_both_ways(house: House) -> None:
    house.books.delete_video(IDS[0])
    shutil.rmtree(house.root / "library" / folder_of(IDS[1]))
    (house.root / "library" / folder_of(IDS[2]) / "manifest.mpd").unlink()
    house.books.register_video(IDS[3], a_film(size_bytes=999))

    mended = house.check(repair=True)
    after = house.check(with_sums=True)

    assert (mended.found, mended.mended) == (4, 4)
    assert (after.found, after.folders, after.rows) == (0, 2, 2)
    assert sorted(house.books.kept) == [IDS[0], IDS[3]]
    assert len(list((house.root / "trash").iterdir())) == 1


def test_a_changed_byte_is_found_by_its_sum_alone(house: House) -> None:
    (house.root / "library" / folder_of(IDS[0]) / "manifest.mpd").write_bytes(b"<MPD?>")

    plain, summed = house.check(), house.check(with_sums=True)

    assert (plain.found, summed.found) == (0, 1)
    assert "has changed" in house.said[0]


def test_a_wiped_catalogue_comes_back_from_the_disk(house: House) -> None:
    house.books.kept.clear()

    house.check(repair=True)

    assert sorted(house.books.kept) == IDS


def test_rows_of_many_pages_are_all_looked_at(house: House) -> None:
    for number in range(1, PAGE + 6):
        house.books.register_video(f"{number:064x}"[::-1], a_film())

    seen = house.check(repair=True)

    assert (seen.found, sorted(house.books.kept)) == (PAGE + 5, IDS)


def test_what_is_no_film_is_told_and_left_alone(house: House) -> None:
    (house.root / "library" / "00" / "notes").mkdir()

    seen = house.check(repair=True)

    assert not seen.is_well
    assert (house.root / "library/00/notes").is_dir()


def test_the_tool_says_that_the_catalogue_does_not_answer(house: House) -> None:
    out = io.StringIO()
    environ = {
        "KINODOM_INNER_KEY": "x",
        "KINODOM_MEDIA_ROOT": str(house.root),
        "KINODOM_CATALOGUE_URL": "http://127.0.0.1:9",
    }

    code = fsck.main([], environ, out)

    assert (code, out.getvalue().startswith("It could not be checked: ")) == (1, True)


def test_a_film_whose_folder_was_being_replaced_is_shown_again(house: House) -> None:
    folder = house.add(IDS[0])
    old = house.root / "remakes" / IDS[0] / "old"
    old.parent.mkdir(parents=True)
    folder.rename(old)

    seen, mended = house.check(), house.check(repair=True)

    assert (seen.found, seen.is_well) == (2, False)  # and the catalogue has what the disk has not
    assert mended.is_well
    assert find_published(house.root / "library", IDS[0]) is not None
    assert IDS[0] in house.books.kept
