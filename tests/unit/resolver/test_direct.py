from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from kinodom_common.egress import AddressRefused, EgressRules, OutsideClient, OutsideTooLarge
from kinodom_common.errors import NotFound, Rejected
from kinodom_resolver.sources.direct import Direct, clean_address, name_of
from tests.support.outside import outside_for
from tests.support.served import served

MASTER = b"""#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360
360.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720
720.m3u8
"""
MEDIA = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6.0,\n1.ts\n#EXTINF:4.5,\n2.ts\n#EXT-X-ENDLIST\n"
MPD = b"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT1M2.5S">
<Representation id="1" height="480"/><Representation id="2" width="1920" height="1080"/></MPD>"""
FTYP = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 200_000
EBML = b"\x1a\x45\xdf\xa3" + b"\x00" * 100


def site() -> Flask:
    app = Flask("any_site")
    files = {
        "Salt.and.Moon.2021.m3u8": (MASTER, "application/vnd.apple.mpegurl"),
        "media.m3u8": (b"\xef\xbb\xbf" + MEDIA, "text/plain"),
        "film.mpd": (MPD, "application/dash+xml"),
        "film.mp4": (FTYP, "application/octet-stream"),
        "film.webm": (EBML, "video/webm"),
        "page.mp4": (b"<!DOCTYPE html><html></html>", "text/html; charset=utf-8"),
        "letter.txt": (b"Dear sir", "text/plain"),
    }

    @app.get("/<path:name>")
    def file(name: str) -> Response:
        if name == "whole.mkv" or name == "whole.bin":
            return Response(EBML + b"\x00" * 5_000_000, content_type="video/x-matroska")
        if name not in files:
            return Response("no", status=404)
        body, kind = files[name]
        first, last = (int(part) for part in request.headers["Range"].removeprefix("bytes=").split("-"))
        return Response(body[first : last + 1], status=206, content_type=kind)

    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(site()) as address:
        yield address


@pytest.fixture
def source(url: str) -> Direct:
    return Direct(outside_for(url))


def test_a_master_playlist_is_one_hit_with_its_heights(source: Direct, url: str) -> None:
    hit = source.search(f"{url}/Salt.and.Moon.2021.m3u8?token=a%2Fb&x=1#t=5")[0]

    assert (hit.name, hit.heights_px, hit.source) == ("Salt and Moon 2021", (720, 360), "direct")
    assert "%3Ftoken%3Da%252Fb%26x%3D1" in hit.external_id
    assert "t%3D5" not in hit.external_id


@pytest.mark.parametrize(
    ("name", "delivery", "height", "duration"),
    [
        ("Salt.and.Moon.2021.m3u8", "hls", None, None),
        ("media.m3u8", "hls", None, 10.5),
        ("film.mpd", "dash", None, 62.5),
        ("film.mp4", "progressive", None, None),
        ("film.webm", "progressive", None, None),
        ("whole.mkv", "progressive", None, None),
    ],
)
def test_the_first_bytes_tell_how_it_is_delivered(
    source: Direct, url: str, name: str, delivery: str, height: int | None, duration: float | None
) -> None:
    external_id = source.search(f"{url}/{name}")[0].external_id

    offer = source.offers(external_id, None, None, "original")[0]

    assert offer.url == f"{url}/{name}"
    assert (offer.delivery, offer.height_px, offer.duration_s) == (delivery, height, duration)


def test_the_title_has_one_version_with_one_episode(source: Direct, url: str) -> None:
    external_id = source.search(f"{url}/film.mpd")[0].external_id

    title = source.title(external_id)

    assert (title.card.external_id, title.card.kind) == (external_id, "film")
    assert title.translations[0].heights_px == (1080, 480)
    assert [(one.season, one.episode, one.duration_s) for one in title.translations[0].episodes] == [(None, None, 62.5)]


@pytest.mark.parametrize(("name", "words"), [("page.mp4", "web page"), ("letter.txt", "neither")])
def test_what_is_no_video_is_said_in_words(source: Direct, url: str, name: str, words: str) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        source.search(f"{url}/{name}")

    assert caught.value.code == "not_a_video"


def test_a_large_file_without_a_known_ending_from_a_site_without_ranges_is_not_guessed(
    source: Direct, url: str
) -> None:
    with pytest.raises(OutsideTooLarge):
        source.search(f"{url}/whole.bin")


def test_nothing_at_the_address_is_not_found(source: Direct, url: str) -> None:
    with pytest.raises(NotFound):
        source.search(f"{url}/gone.mp4")


def test_an_address_inside_the_home_is_refused(url: str) -> None:
    source = Direct(OutsideClient(rules=EgressRules(), user_agent="Kinodom test"))

    with pytest.raises(AddressRefused):
        source.search(f"{url}/film.mp4")


def test_other_episodes_and_versions_are_not_there(source: Direct, url: str) -> None:
    external_id = source.search(f"{url}/film.mp4")[0].external_id

    assert source.offers(external_id, 1, 1, "original") == []
    assert source.offers(external_id, None, None, "dub") == []


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("HTTPS://ira:secret@Example.org:8443/a b.mp4?x=1 2#frag", "https://Example.org:8443/a%20b.mp4?x=1%202"),
        ("http://example.org/%D1%84.mp4", "http://example.org/%D1%84.mp4"),
        ("http://example.org/ф.mp4", "http://example.org/%D1%84.mp4"),
    ],
)
def test_user_password_and_fragment_are_dropped(typed: str, cleaned: str) -> None:
    address = clean_address(typed)

    assert address == cleaned
    assert clean_address(address) == address


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("file:///etc/passwd", "not_a_video"),
        ("ftp://example.org/film.mp4", "scheme_refused"),
        ("javascript://example.org/%0aalert(1)", "scheme_refused"),
        ("http://", "not_a_video"),
        ("http://[::1/film.mp4", "not_a_video"),
        ("http://example.org/" + "я" * 500, "address_too_long"),
    ],
)
def test_other_addresses_are_refused_in_words(typed: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        clean_address(typed)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://cdn.example.org/films/Tin_Lighthouse.S01E02/master.m3u8", "Tin Lighthouse S01E02"),
        ("https://cdn.example.org/42/index.m3u8", "cdn.example.org"),
        ("https://example.org/%D0%9C%D0%B0%D1%8F%D0%BA.mp4", "Маяк"),
        ("https://example.org/%ff%00.mp4", "\ufffd"),
    ],
)
def test_the_name_is_made_for_people(address: str, name: str) -> None:
    made = name_of(address)

    assert made == name


def test_an_id_that_this_source_did_not_make_is_not_found(source: Direct) -> None:
    with pytest.raises(NotFound):
        source.title("direct:http%3A%2F%2Fira%3Asecret%40example.org%2F")
