"""Removing a film: gone whole, brought back whole, and done in the end whatever was away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.errors import UpstreamFailed
from kinodom_common.ids import folder_of
from kinodom_common.store import open_store
from kinodom_downloader.adapters.errands import StoredErrands
from kinodom_downloader.adapters.publish import find_published, publish
from kinodom_downloader.adapters.trash import MediaTrash
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import removing
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.publishing import trash_name
from kinodom_downloader.domain.removing import DAY_S, Errand, NotInTrash, RemovalDesk
from kinodom_downloader.domain.room import Disk, KeepFree

CARD = TitleCard(external_id="demo:salt", name="Salt and Moon")
REQUEST = WishRequest(external_id="demo:salt", title=CARD)
VIDEO_ID = rules.wish_id_of(REQUEST)
OTHER_ID = "cd" * 32
NOW_S = 1_790_000_000.0


class Shelf:
    """A catalogue that may be away."""

    def __init__(self) -> None:
        self.videos: dict[str, VideoIn] = {}
        self.away = False
        self.before: Callable[[], None] = lambda: None

    def _ask(self) -> None:
        self.before()
        if self.away:
            raise UpstreamFailed("The catalogue does not answer.")

    def register_video(self, video_id: str, video: VideoIn) -> object:
        self._ask()
        self.videos[video_id] = video
        return None

    def delete_video(self, video_id: str) -> None:
        self._ask()
        self.videos.pop(video_id, None)


class SmallDisk(MediaTrash):
    """A disk on which a film takes one byte."""

    free_bytes = 0

    def throw_away(self, name: str) -> None:
        super().throw_away(name)
        self.free_bytes += 1

    def disk(self) -> Disk:
        return Disk(free_bytes=self.free_bytes, total_bytes=100)


class House:
    """The media folder, a store and a catalogue around the rules."""

    def __init__(self, root: Path) -> None:
        self.root, self.now_s, self.shelf = root, NOW_S, Shelf()
        store = open_store(f"sqlite:///{root / 'store.sqlite'}")
        self.wishes, self.errands, self.trash = StoredWishes(store), StoredErrands(store), MediaTrash(root)
        self.desk = RemovalDesk(
            wishes=self.wishes,
            errands=self.errands,
            trash=self.trash,
            shelf=self.shelf,
            clock=lambda: self.now_s,
            keep_free=KeepFree(gb=0, percent=0),
        )

    def add(self, video_id: str = VIDEO_ID) -> None:
        """Publish a film, register it, and store its wish as ready."""
        staging = self.root / "work" / video_id
        staging.mkdir(parents=True)
        (staging / "manifest.mpd").write_bytes(b"<MPD/>")
        video = VideoIn(
            title=CARD,
            external_id="demo:salt",
            duration_s=24.0,
            size_bytes=6,
            published_at=datetime.fromtimestamp(self.now_s, UTC),
        )
        publish(
            staging,
            self.root / "library",
            video_id,
            video,
            source="demo",
            fence=lambda: None,
            trash=self.root / "trash",
        )
        self.shelf.videos[video_id] = video
        self.wish(video_id, "ready")

    def wish(self, video_id: str, state: str) -> None:
        made = rules.new_wish(REQUEST, now_s=self.now_s, request_id="r")
        self.wishes.add(replace(made, wish_id=video_id, state=state))  # type: ignore[arg-type]  # a state of the test

    def whole(self, video_id: str = VIDEO_ID) -> bool:
        """Tell whether the film is on the disk, whole, and known to the catalogue."""
        return find_published(self.root / "library", video_id) is not None and video_id in self.shelf.videos

    def gone(self, video_id: str = VIDEO_ID) -> bool:
        """Tell whether nothing of the film can be seen any more."""
        folder = self.root / "library" / folder_of(video_id)
        return not folder.exists() and video_id not in self.shelf.videos and not self.wishes.some([video_id])

    def in_trash(self) -> int:
        return len(list((self.root / "trash").glob("*"))) if (self.root / "trash").is_dir() else 0


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.add()
    return house


def test_a_removed_film_is_gone_everywhere_and_lies_in_the_trash(house: House) -> None:
    removed = removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    assert house.gone()
    assert (house.in_trash(), house.errands.every()) == (1, [])
    assert removed.restorable_until == datetime.fromtimestamp(NOW_S + 7 * DAY_S, UTC)


def test_removing_twice_or_what_is_not_there_changes_nothing(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    again = removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    assert (again.restorable_until, house.in_trash(), house.errands.every()) == (None, 1, [])


@pytest.mark.parametrize("how", ["for good", "trash off"])
def test_a_film_removed_for_good_leaves_nothing_behind(house: House, how: str) -> None:
    desk = house.desk if how == "for good" else replace(house.desk, keep_s=0.0)

    removed = removing.remove(VIDEO_ID, desk=desk, for_good=how == "for good")

    assert house.gone()
    assert (removed.restorable_until, house.in_trash()) == (None, 0)


def test_a_removed_film_can_be_brought_back_whole(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    removing.restore(VIDEO_ID, desk=house.desk)

    assert house.whole()
    assert (house.in_trash(), house.errands.every()) == (0, [])


def test_the_same_film_can_be_wished_for_again(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    house.now_s += 60

    house.add()
    removing.sweep(desk=house.desk)

    assert house.whole()
    assert house.wishes.get(VIDEO_ID).state == "ready"


def test_while_the_catalogue_is_away_the_film_stays_whole_and_goes_later(house: House) -> None:
    house.shelf.away = True
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    whole_meanwhile = find_published(house.root / "library", VIDEO_ID) is not None
    house.shelf.away = False

    removing.sweep(desk=house.desk)

    assert whole_meanwhile
    assert house.gone()
    assert house.errands.every() == []


def test_a_removal_that_nobody_got_to_is_taken_back_by_a_restore(house: House) -> None:
    house.shelf.away = True
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    house.shelf.away, house.now_s = False, NOW_S + 1

    removing.restore(VIDEO_ID, desk=house.desk)
    removing.sweep(desk=house.desk)

    assert house.whole()


def test_a_film_wished_for_after_its_removal_was_written_down_stays(house: House) -> None:
    house.errands.put(Errand(video_id=VIDEO_ID, kind="remove", at_s=NOW_S - 1))

    removing.sweep(desk=house.desk)

    assert house.whole()
    assert house.errands.every() == []


def test_a_restore_while_the_catalogue_is_away_is_finished_by_the_sweep(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    house.shelf.away = True
    removing.restore(VIDEO_ID, desk=house.desk)
    house.shelf.away = False

    removing.sweep(desk=house.desk)

    assert house.whole()
    assert house.errands.every() == []


def test_a_later_errand_for_the_same_film_is_not_lost_by_an_earlier_one(house: House) -> None:
    later = Errand(video_id=VIDEO_ID, kind="restore", at_s=NOW_S + 5)
    house.shelf.before = lambda: house.errands.put(later)

    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    assert house.errands.every() == [later]


def test_what_is_not_in_the_trash_is_refused_and_not_tried_for_ever(house: House) -> None:
    with pytest.raises(NotInTrash):
        removing.restore(OTHER_ID, desk=house.desk)

    assert house.errands.every() == []


def test_a_damaged_folder_does_not_come_back(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    next((house.root / "trash").iterdir()).joinpath("manifest.mpd").unlink()

    with pytest.raises(NotInTrash):
        removing.restore(VIDEO_ID, desk=house.desk)

    assert not (house.root / "library" / folder_of(VIDEO_ID)).exists()


def test_a_film_that_is_being_shown_this_moment_is_not_removed(house: House) -> None:
    house.wishes.change(
        VIDEO_ID, lambda wish: replace(wish, state="publishing", token="t", lease_until_s=house.now_s + 20)
    )

    with pytest.raises(rules.WishBusy):
        removing.remove(VIDEO_ID, desk=house.desk, for_good=False)

    assert house.whole()
    assert house.errands.every() == []


def test_a_download_without_a_folder_is_not_cancelled_by_a_removal(house: House) -> None:
    house.wish(OTHER_ID, "running")

    removing.remove(OTHER_ID, desk=house.desk, for_good=False)

    assert house.wishes.get(OTHER_ID).state == "running"


def test_the_trash_is_emptied_when_its_time_has_come(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    house.now_s += 7 * DAY_S - 1
    removing.sweep(desk=house.desk)
    kept = house.in_trash()
    house.now_s += 1

    removing.sweep(desk=house.desk)

    assert (kept, house.in_trash()) == (1, 0)


def test_a_full_disk_empties_the_trash_oldest_first_and_no_further_than_needed(house: House) -> None:
    disk, names = a_small_disk(house)

    removing.make_room(2, trash=disk, keep=KeepFree(gb=0, percent=0))

    assert [one.name for one in disk.trashed()] == [names[2]]


def test_a_film_that_fits_in_no_case_costs_nothing_of_the_trash(house: House) -> None:
    disk, names = a_small_disk(house)

    removing.make_room(4, trash=disk, keep=KeepFree(gb=0, percent=0))

    assert {one.name for one in disk.trashed()} == set(names)


def a_small_disk(house: House) -> tuple[SmallDisk, list[str]]:
    names = [trash_name(f"{number:02}" * 32, NOW_S + number, "x") for number in (2, 1, 3)]
    for name in names:
        (house.root / "trash" / name).mkdir(parents=True)
        (house.root / "trash" / name / "v.mp4").write_bytes(b"v")
    return SmallDisk(house.root), names


def test_what_a_dead_process_left_half_deleted_goes_with_the_next_look(house: House) -> None:
    (house.root / "trash" / ".gone-x").mkdir(parents=True)

    removing.sweep(desk=house.desk)

    assert house.in_trash() == 0


def test_a_removal_that_died_before_its_rename_is_finished(house: House) -> None:
    house.errands.put(Errand(video_id=VIDEO_ID, kind="remove", at_s=NOW_S))
    house.wishes.forget(house.wishes.get(VIDEO_ID))
    del house.shelf.videos[VIDEO_ID]

    removing.sweep(desk=house.desk)

    assert house.gone()
    assert house.in_trash() == 1


def test_a_removal_that_died_after_its_rename_is_finished(house: House) -> None:
    removing.remove(VIDEO_ID, desk=house.desk, for_good=False)
    house.errands.put(Errand(video_id=VIDEO_ID, kind="remove", at_s=NOW_S))

    removing.sweep(desk=house.desk)

    assert house.gone()
    assert house.errands.every() == []


def test_the_folder_of_the_trash_may_be_missing(house: House) -> None:
    shutil.rmtree(house.root / "trash", ignore_errors=True)

    assert house.trash.trashed() == []
