"""The typed client against the catalogue's own app: both sides of the contract at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kinodom_catalogue.adapters.search_index import FreshIndex
from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.app import create_app
from kinodom_catalogue.settings import Settings
from kinodom_catalogue.wiring import Deps
from kinodom_common.clients.catalogue import CatalogueClient
from kinodom_common.contracts.videos import TrackInfo
from kinodom_common.errors import KinodomError, NotFound, Rejected, UpstreamFailed
from kinodom_common.http import HttpClient
from kinodom_common.settings import read_settings
from kinodom_common.store import Store, StoreUnavailable, open_store
from tests.support.catalogue_parts import Clock, FakeHints, card, video_id, video_in
from tests.support.served import served

KEY = "inner-key"


class House:
    """The served catalogue, and what the test may look at."""

    def __init__(self, url: str, store: Store) -> None:
        self.url = url
        self.store = store
        self.client = CatalogueClient(HttpClient("catalogue", url, inner_key=KEY))
        self.silent = False

    def check(self) -> None:
        """Be ready, or not."""
        if self.silent:
            raise StoreUnavailable("The database did not do it.")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    environ = {
        "KINODOM_INNER_KEY": KEY,
        "KINODOM_STORE": f"sqlite:///{tmp_path}/catalogue.sqlite",
        "KINODOM_REDIS_URL": "redis://127.0.0.1:1/0",
        "KINODOM_COVERS_ROOT": str(tmp_path / "covers"),
    }
    settings = read_settings(Settings, environ)
    store, clock = open_store(settings.store), Clock()
    shelf = StoreShelf(store, clock)
    shelf.migrate()
    made = House("", store)
    parts = Deps(
        shelf=shelf, index=FreshIndex(shelf, clock), hints=FakeHints(), ready={"store": made.check}, clock=clock
    )
    with served(create_app(settings, deps=parts)) as url:
        made.url, made.client = url, CatalogueClient(HttpClient("catalogue", url, inner_key=KEY))
        yield made
    store.close()


def test_a_registered_video_comes_back_whole(house: House) -> None:
    track = TrackInfo(kind="video", file="v.mp4", codec="avc1.64001f", height_px=720, size_bytes=9, sha256="0" * 64)
    wanted = video_in(season=0, episode=0, episode_name="Пролог", language="ru", height_px=720, tracks=(track,))

    made = house.client.register_video(video_id(1), wanted)

    assert made == house.client.video(video_id(1))
    assert (made.season, made.episode, made.episode_name, made.tracks) == (0, 0, "Пролог", (track,))
    assert (made.video_id, made.external_id, made.published_at) == (video_id(1), "ia:metropolis", wanted.published_at)
    page = house.client.title(made.title_id)
    assert (page.title.name, page.videos) == ("Metropolis", (made,))


def test_the_first_time_is_201_and_the_second_200(house: House) -> None:
    body, headers = video_in().model_dump_json().encode(), {"Authorization": f"Bearer {KEY}"}

    replies = [
        requests.put(f"{house.url}/videos/{video_id(1)}", data=body, headers=headers, timeout=5) for _ in range(2)
    ]

    assert [reply.status_code for reply in replies] == [201, 200]
    assert replies[0].json() == replies[1].json()


@pytest.mark.parametrize("external_id", ["ia:metropolis", "ia:a%20b%2Fc", "peertube:host.example|Ä", "url:x+y&z=1;q"])
def test_a_title_is_found_by_any_external_id(house: House, external_id: str) -> None:
    assert house.client.title_by_external(external_id) is None

    made = house.client.register_video(video_id(1), video_in(card(external_id)))

    found = house.client.title_by_external(external_id)
    assert found is not None
    assert found.title.title_id == made.title_id


def test_titles_are_listed_and_searched(house: House) -> None:
    house.client.register_video(video_id(1), video_in(card("ia:metropolis", "Metropolis")))
    house.client.register_video(video_id(2), video_in(card("ia:naruto", "Наруто")))

    everything = house.client.titles()
    found = house.client.titles("naruto")
    page = house.client.titles(limit=1, after=everything.titles[0].title_id)

    assert everything.total == 2
    assert [title.name for title in found.titles] == ["Наруто"]
    assert page.titles == everything.titles[1:]


def test_deleting_forgets_and_may_be_said_twice(house: House) -> None:
    made = house.client.register_video(video_id(1), video_in())

    house.client.delete_video(video_id(1))
    house.client.delete_video(video_id(1))

    with pytest.raises(NotFound) as no_video:
        house.client.video(video_id(1))
    with pytest.raises(NotFound) as no_title:
        house.client.title(made.title_id)
    assert (no_video.value.code, no_title.value.code) == ("no_such_video", "no_such_title")
    assert house.client.title_by_external("ia:metropolis") is None


def test_a_title_is_added_refreshed_and_deleted(house: House) -> None:
    made = house.client.add_title(card(year=1926))
    again = house.client.add_title(card())

    fresh = house.client.refresh_title(made.title.title_id, card(year=1927))
    house.client.delete_title(made.title.title_id)

    assert (made.created, again.created, fresh.year) == (True, False, 1927)
    assert house.client.titles().titles == ()


def test_the_list_is_sorted_and_sifted_and_the_videos_are_listed(house: House) -> None:
    house.client.add_title(card("ia:naruto", "Наруто", kind="series"))
    made = house.client.register_video(video_id(1), video_in(card("ia:metropolis", "Metropolis")))

    assert [title.name for title in house.client.titles(sort="name").titles] == ["Metropolis", "Наруто"]
    assert [title.name for title in house.client.titles(on_disk=False, kind="series").titles] == ["Наруто"]
    assert house.client.videos(limit=5).videos == (made,)
    with pytest.raises(Rejected):
        house.client.delete_title(made.title_id)


def test_mistakes_in_a_request_are_named(house: House) -> None:
    with pytest.raises(Rejected) as bad_id:
        house.client.register_video("not-a-video-id", video_in())
    with pytest.raises(Rejected) as bad_limit:
        house.client.titles(limit=0)
    with pytest.raises(Rejected) as bad_page:
        house.client.titles(after="t-gone")

    codes = [caught.value.code for caught in (bad_id, bad_limit, bad_page)]
    assert codes == ["bad_request", "bad_request", "list_changed"]


def test_without_the_inner_key_nothing_is_told(house: House) -> None:
    stranger = CatalogueClient(HttpClient("catalogue", house.url, inner_key="guessed"))

    with pytest.raises(KinodomError) as caught:
        stranger.titles()

    assert caught.value.code == "key_missing"


def test_a_catalogue_that_is_away_is_not_an_empty_one() -> None:
    client = CatalogueClient(HttpClient("catalogue", "http://127.0.0.1:1", inner_key=KEY, timeout_s=0.5))

    with pytest.raises(UpstreamFailed):
        client.title_by_external("ia:metropolis")


def test_readiness_names_what_is_missing(house: House) -> None:
    ready = requests.get(f"{house.url}/readyz", timeout=5)
    house.silent = True
    missing = requests.get(f"{house.url}/readyz", timeout=5)

    assert (ready.status_code, missing.status_code) == (200, 503)
    assert list(missing.json()["missing"]) == ["store"]


def test_the_api_describes_itself(house: House) -> None:
    document = requests.get(f"{house.url}/openapi.json", timeout=5).json()

    assert set(document["paths"]) == {
        "/titles",
        "/titles/{title_id}",
        "/titles/by-external/{external_id}",
        "/videos",
        "/videos/{video_id}",
    }
    assert set(document["paths"]["/titles/{title_id}"]) == {"get", "put", "delete"}
    assert set(document["paths"]["/videos/{video_id}"]) == {"get", "put", "delete"}
