"""Of a recorded answer every field is read that a card, an episode or an offer has a place for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kinodom_resolver.sources.internet_archive import InternetArchive
from kinodom_resolver.sources.kodik.records import record_of
from kinodom_resolver.sources.kodik.shikimori import ShikimoriTitles
from kinodom_resolver.sources.peertube import PeerTube
from kinodom_resolver.sources.wikimedia_commons import WikimediaCommons
from tests.support import fake_archive, fake_commons, fake_kodik, fake_peertube, fake_shikimori
from tests.support.mutations import Told


class Noted(dict[str, Any]):
    """An object that notes which of its fields are looked at."""

    def __init__(self, value: dict[str, Any], top: str, read: set[str]) -> None:
        super().__init__(value)
        self._top, self._read = top, read

    def get(self, key: str, default: Any = None) -> Any:
        self._read.add(f"{self._top}{key}")
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._read.add(f"{self._top}{key}")
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._read.add(f"{self._top}{key}")
        return super().__contains__(key)

    def items(self) -> Any:
        self._read.update(f"{self._top}{key}" for key in self)
        return super().items()


def noted(value: Any, read: set[str], top: str = "") -> Any:
    if isinstance(value, dict):
        return Noted({key: noted(one, read, f"{top}{key}.") for key, one in value.items()}, top, read)
    return [noted(one, read, top) for one in value] if isinstance(value, list) else value


def archive_search(reply: Any) -> None:
    InternetArchive("https://a.test", Told(reply)).search("toys")


def archive_item(reply: Any) -> None:
    source, name = InternetArchive("https://a.test", Told(reply)), f"ia:{fake_archive.RECORDED_ITEM}"
    source.title(name)
    source.offers(name, None, None, "original")


def peertube_search(reply: Any) -> None:
    PeerTube(["https://t.test"], None, Told(reply)).search("internet")


def peertube_video(reply: Any) -> None:
    source, name = PeerTube(["https://t.test"], None, Told(reply)), f"peertube:t.test%2F{fake_peertube.RECORDED}"
    source.title(name)
    source.offers(name, None, None, "original")


def commons_video(reply: Any) -> None:
    source, name = WikimediaCommons("https://c.test", Told(reply)), f"commons:{fake_commons.RECORDED}"
    source.title(name)
    source.offers(name, None, None, "original")


READS: dict[str, tuple[Callable[[], Any], Callable[[Any], object], str]] = {
    "archive search": (
        lambda: fake_archive.sample("advancedsearch.json"),
        archive_search,
        "response.docs: identifier title year date description licenseurl mediatype creator subject",
    ),
    "archive item": (
        lambda: fake_archive.sample("metadata_video_item.json"),
        archive_item,
        "is_dark; metadata: title year description licenseurl language creator subject; "
        "files: name source format original size length height private title",
    ),
    "kodik result": (
        lambda: fake_kodik.sample("search_anime_serial.json")["results"][0],
        lambda raw: record_of(raw, "https://kodik-api.com"),
        "id type link title title_orig other_title year last_season last_episode episodes_count kinopoisk_id imdb_id "
        "shikimori_id mdl_id worldart_link quality camrip lgbt blocked_countries blocked_seasons created_at "
        "updated_at screenshots seasons material_data; translation: id title type; "
        "material_data: anime_description anime_poster_url all_genres genres anime_genres duration directors actors",
    ),
    "shikimori title": (
        lambda: fake_shikimori.sample("graphql_search.json"),
        lambda reply: ShikimoriTitles(["https://s.test"], Told(reply)).search("kodik", "x"),
        "data.animes: id name russian kind episodes airedOn poster genres description",
    ),
    "peertube search": (
        lambda: fake_peertube.sample("search_videos.json"),
        peertube_search,
        "data: uuid url name category licence nsfw description truncatedDescription isLive previewPath publishedAt "
        "originallyPublishedAt account channel; data.licence: id; data.account: displayName; "
        "data.channel: displayName",
    ),
    "peertube video": (
        lambda: fake_peertube.sample("video_web_and_hls.json"),
        peertube_video,
        "name description duration licence language files streamingPlaylists tags state downloadEnabled isLive "
        "previewPath publishedAt account channel; files: resolution height size fileUrl hasAudio hasVideo; "
        "streamingPlaylists: type playlistUrl files; streamingPlaylists.files: height hasVideo resolution",
    ),
    "commons video": (
        fake_commons.sample,
        commons_video,
        "query.pages.videoinfo: url size duration mime derivatives extmetadata thumburl timedtext; "
        "query.pages.videoinfo.derivatives: src type height transcodekey; "
        "query.pages.videoinfo.extmetadata: LicenseShortName ImageDescription ObjectName Artist",
    ),
}


def fields_in(text: str) -> set[str]:
    """Return the ways in `top: a b; c d`."""
    found: set[str] = set()
    for part in text.split(";"):
        top, colon, names = part.rpartition(":")
        found |= {f"{top.strip()}.{name}" if colon else name for name in names.split()}
    return found


@pytest.mark.parametrize("name", READS)
def test_every_field_with_a_place_is_read(name: str) -> None:
    sample, ask, wanted = READS[name]
    read: set[str] = set()

    ask(noted(sample(), read))

    assert fields_in(wanted) - read == set()


def test_what_a_recorded_item_says_of_its_makers_is_shown() -> None:
    reply = fake_archive.sample("metadata_video_item.json")
    reply["metadata"] |= {"creator": "Ada; Ben", "subject": ["sea", "light;salt", "<b>"]}

    card = InternetArchive("https://a.test", Told(reply)).title(f"ia:{fake_archive.RECORDED_ITEM}").card

    assert (card.people, card.genres) == (("Ada", "Ben"), ("sea", "light", "salt"))
