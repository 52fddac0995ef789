"""From what yt-dlp says to titles and offers."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from kinodom_common.contracts.offers import OfferList
from kinodom_common.egress import EgressRules, OutsideClient
from kinodom_resolver.adapters.ytdlp_run import YtDlpUnknown
from kinodom_resolver.sources.ytdlp import YtDlp
from kinodom_resolver.sources.ytdlp_formats import expires_at, offers_of
from tests.unit.resolver.test_mutations import mutated

MP4 = {
    "url": "https://v.example/480.mp4", "protocol": "https", "ext": "mp4", "height": 480, "vcodec": "avc1",
    "acodec": "mp4a", "filesize": 1000,
}  # fmt: skip
HLS = {"protocol": "m3u8_native", "manifest_url": "https://v.example/m.m3u8", "ext": "mp4"}
FILM: dict[str, Any] = {
    "id": "1",
    "title": "A <i>Film</i>",
    "duration": 60.5,
    "upload_date": "20200229",
    "thumbnail": "https://v.example/t.jpg",
    "language": "ru",
    "cast": ["Ada", "Ben"],
    "genres": ["Drama"],
    "description": "One.\nTwo.",
    "http_headers": {"User-Agent": "yt", "Accept-Encoding": "br"},
    "formats": [
        {"url": "https://v.example/sb.jpg", "protocol": "mhtml", "ext": "mhtml", "vcodec": "none", "acodec": "none"},
        {"url": "https://v.example/a.m4a", "protocol": "https", "ext": "m4a", "vcodec": "none", "acodec": "mp4a"},
        {
            "url": "https://v.example/v.mp4",
            "protocol": "https",
            "ext": "mp4",
            "vcodec": "avc1",
            "acodec": "none",
            "height": 1080,
        },
        MP4,
        {**MP4, "url": "https://v.example/720.mp4", "height": 720},
        {**HLS, "url": "https://v.example/360.m3u8", "height": 360},
        {**HLS, "url": "https://v.example/720.m3u8", "height": 720},
        {
            "url": "https://v.example/d1",
            "protocol": "http_dash_segments",
            "manifest_url": "https://v.example/m.mpd",
            "height": 720,
        },
        {"url": "https://v.example/d2", "protocol": "http_dash_segments", "height": 720},
        {"url": "rtmp://v.example/x", "protocol": "rtmp", "ext": "mp4"},
    ],
    "subtitles": {
        "en": [
            {"ext": "srt", "url": "https://v.example/en.srt"},
            {"ext": "vtt", "url": "https://v.example/en.vtt", "name": "English"},
        ],
        "live_chat": [{"ext": "json", "url": "https://v.example/chat"}],
    },
}
PLAYLIST = {
    "_type": "playlist",
    "title": "Two Evenings",
    "entries": [
        {"url": "https://s.example/1", "title": "One", "duration": 10},
        {"url": "https://s.example/2", "title": "Two"},
    ],
}


class Told:
    """Stands for yt-dlp: pages and what is said of them."""

    def __init__(self, **pages: Any) -> None:
        self.pages = {f"https://s.example/{name}": facts for name, facts in pages.items()}

    def extract(self, address: str) -> Any:
        """Return what is said of a page."""
        if address not in self.pages:
            raise YtDlpUnknown("nobody knows it")
        return self.pages[address]


def ident(name: str) -> str:
    return f"ytdlp:https%3A%2F%2Fs.example%2F{name}"


def test_playlists_come_first_and_half_films_not_at_all() -> None:
    offers = offers_of(FILM, "ytdlp")

    assert [(one.delivery, one.url, one.height_px) for one in offers] == [
        ("hls", "https://v.example/m.m3u8", None),
        ("dash", "https://v.example/m.mpd", None),
        ("progressive", "https://v.example/720.mp4", 720),
        ("progressive", "https://v.example/480.mp4", 480),
    ]
    assert (offers[3].size_bytes, offers[3].duration_s) == (1000, 60.5)


def test_an_offer_carries_the_headers_a_player_needs_and_one_subtitle_a_language() -> None:
    offer = offers_of(FILM, "ytdlp")[0]

    assert offer.headers == {"User-Agent": "yt"}
    assert [(one.language, one.url, one.name) for one in offer.subtitles] == [
        ("en", "https://v.example/en.vtt", "English")
    ]


def test_cookies_go_to_the_host_they_are_for() -> None:
    cookies = "a=1; Domain=.v.example; Path=/; Secure; b=2; Domain=other.example; Path=/"

    offer = offers_of({"formats": [{**MP4, "cookies": cookies}]}, "ytdlp")[0]

    assert offer.headers == {"Cookie": "a=1"}


@pytest.mark.parametrize(
    "facts",
    [
        {**FILM, "is_live": True},
        {**FILM, "live_status": "is_upcoming"},
        {"formats": [{**MP4, "has_drm": True}]},
        {"formats": [{**MP4, "url": "file:///etc/passwd"}]},
        {"formats": []},
        {},
    ],
)
def test_what_cannot_be_fetched_is_not_offered(facts: dict[str, Any]) -> None:
    assert offers_of(facts, "ytdlp") == []


@pytest.mark.parametrize(
    ("address", "instant"),
    [
        ("https://v.example/a?expire=1893456000&x=1", datetime(2030, 1, 1, tzinfo=UTC)),
        ("https://v.example/a?Expires=1893456000", datetime(2030, 1, 1, tzinfo=UTC)),
        ("https://v.example/a?e=12", None),
        ("https://v.example/a", None),
        ("https://v.example/a?expire=soon", None),
    ],
)
def test_a_signed_address_tells_its_end(address: str, instant: datetime | None) -> None:
    assert expires_at(address) == instant


def test_a_pasted_page_is_a_film() -> None:
    hit = YtDlp(Told(film=FILM)).search("https://s.example/film")[0]

    assert (hit.external_id, hit.name, hit.year, hit.kind, hit.people) == (
        ident("film"), "A Film", 2020, "film", ("Ada", "Ben"),
    )  # fmt: skip
    assert hit.heights_px == (1080, 720, 480, 360)


def test_a_page_nobody_knows_and_one_without_a_film_are_no_hits() -> None:
    source = YtDlp(Told(empty={"title": "Only words", "formats": []}))

    assert source.search("https://s.example/unknown") == []
    assert source.search("https://s.example/empty") == []


def test_a_playlist_is_a_series_whose_episodes_are_looked_up_one_by_one() -> None:
    source = YtDlp(Told(list=PLAYLIST, **{"2": FILM}))

    title = source.title(ident("list"))
    offers = source.offers(ident("list"), None, 2, "original")

    assert title.card.kind == "series"
    assert [(one.episode, one.name, one.duration_s) for one in title.translations[0].episodes] == [
        (1, "One", 10), (2, "Two", None),
    ]  # fmt: skip
    assert offers[0].url == "https://v.example/m.m3u8"
    assert source.offers(ident("list"), None, 3, "original") == []
    assert source.offers(ident("list"), None, None, "original") == []


@pytest.mark.parametrize("seed", range(150))
def test_odd_answers_give_sendable_offers(seed: int) -> None:
    facts = mutated(FILM, random.Random(seed))
    source = YtDlp(Told(film=facts))

    hits = source.search("https://s.example/film")

    offers = source.offers(ident("film"), None, None, "original")
    OfferList(external_id="ytdlp:x", translation_id="original", offers=tuple(offers)).model_dump_json()
    assert all(hit.model_dump_json() for hit in hits)


@pytest.mark.parametrize(
    ("options", "on"),
    [
        ({"ytdlp_extractors": "default", "open_deadline_s": "8.0"}, True),
        ({"ytdlp_extractors": "youtube, vimeo", "open_deadline_s": "8.0"}, True),
        ({"ytdlp_extractors": "off", "open_deadline_s": "8.0"}, False),
        ({}, False),
    ],
)
def test_the_operator_switches_it_off(options: dict[str, str], on: bool) -> None:
    outside = OutsideClient(rules=EgressRules(), user_agent="Kinodom test")

    assert (YtDlp.build(options, outside) is not None) is on
