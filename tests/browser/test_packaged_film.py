"""A film that our packager made, in Shaka Player: every seek lands, and another dub is a change of sound."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.other_dubs import borrow
from tests.support import clips
from tests.support.cinema import FIRST
from tests.support.seeking import lands
from tests.support.shelved import REQUEST, a_track, put_on_shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

PACKAGED = "d4" * 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a packaged film with key frames up to 8 s apart, and with a second sound."""
    root = tmp_path_factory.mktemp("packaged")
    video, audio = clips.separate_fmp4()
    parts = a_track("fmp4", video, role="video"), a_track("fmp4", audio, role="audio")
    other = REQUEST.model_copy(update={"translation_id": "chor", "translation_name": "Chor"})
    first = put_on_shelf(root, *parts, request=other)
    made = put_on_shelf(root, *parts, other_dubs=lambda tracks, out: borrow(tracks, out, root / "library", (first,)))
    return root / "library" / folder_of(made)


@pytest.fixture
def watching(open_tab: Callable[..., Tab], house: Cinema, folder: Path) -> Iterator[Tab]:
    """A tab in which the packaged film plays, under an id of its own: Nginx keeps files of others open for a while."""
    catalogue, kept, page = house.catalogue, house.catalogue.videos, house.catalogue.page
    film = catalogue.video(FIRST).model_copy(update={"video_id": PACKAGED, "episode": 3})
    catalogue.videos, catalogue.page = (*kept, film), page.model_copy(update={"videos": (*kept, film)})
    place = house.nginx.library / folder_of(PACKAGED)
    if not place.exists():
        shutil.copytree(folder, place)
    tab = open_tab()
    tab.page.goto(house.watch_url(PACKAGED))
    tab.until("globalThis.kinodom?.player.position() > 0.4")
    yield tab
    catalogue.videos, catalogue.page = kept, page


def test_every_seek_lands_on_its_frame_whatever_the_key_frames(watching: Tab) -> None:
    watching.page.keyboard.press("KeyK")
    watching.until("kinodom.player.paused()")
    dice = random.Random(7)
    moments_s = [dice.uniform(0.5, 22.0) for _ in range(10)]

    missed_s = [at_s for at_s in moments_s if not lands(watching.page, at_s, near_s=1.5 * clips.FRAME_S)]

    assert missed_s == []
    assert watching.complaints == []


def test_another_dub_is_a_change_of_sound_and_the_film_goes_on(watching: Tab) -> None:
    sounds = watching.page.evaluate("kinodom.player.film.sounds()")
    watching.page.evaluate("kinodom.player.film.setSound(1)")

    watching.until("kinodom.player.film.sounds()[1].active")
    watching.until("kinodom.player.position() > 3 && !kinodom.player.paused()")

    assert [(one["label"], one["active"]) for one in sounds][1] == ("Chor", False)
    assert watching.page.evaluate("performance.getEntriesByType('navigation').length") == 1
    assert watching.complaints == []
