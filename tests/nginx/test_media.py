"""Signed links: what Nginx serves, to whom, and how."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nginx_house import NginxHouse, nginx_house, signed

DIGEST = "ab" + "0" * 62
FOLDER = f"ab/{DIGEST}"
OTHER = "cd/cd" + "1" * 62
VIEWER = "viewer-1"
FILM = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxHouse]:
    root: Path = tmp_path_factory.mktemp("nginx")
    with nginx_house(root) as running:
        folder = running.library / FOLDER
        folder.mkdir(parents=True)
        (folder / "v.mp4").write_bytes(FILM)
        (folder / "manifest.mpd").write_text("<MPD>" + "фильм " * 300 + "</MPD>")
        (folder / "master.m3u8").write_text("#EXTM3U\n")
        (folder / "sprites.vtt").write_text("WEBVTT\n")
        (folder / "poster.jpg").write_bytes(b"\xff\xd8")
        (folder / "metadata.json").write_text("{}")
        (folder / "metadata.txt").write_text("a film\n")
        (root / "outside.txt").write_text("secret")
        (folder / "link.txt").symlink_to(root / "outside.txt")
        (folder / ".hidden").write_text("no")
        (running.covers / "ab").mkdir()
        (running.covers / "ab" / f"{DIGEST}.jpg").write_bytes(b"\xff\xd8cover")
        (running.covers / "ab" / f"{DIGEST}.svg").write_bytes(b"<svg/>")
        yield running


def link(*, folder: str = FOLDER, viewer: str = VIEWER, seconds: int = 600) -> str:
    return signed(folder, expires_s=int(time.time()) + seconds, viewer=viewer)


def test_a_signed_link_gives_the_whole_file(house: NginxHouse) -> None:
    status, headers, body = house.ask(link() + "v.mp4", Cookie=f"viewer={VIEWER}")

    assert (status, body) == (200, FILM)
    assert headers["content-type"] == "video/mp4"
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert "nginx/" not in headers["server"]


def test_a_range_gives_that_part(house: NginxHouse) -> None:
    status, headers, body = house.ask(link() + "v.mp4", Cookie=f"viewer={VIEWER}", Range="bytes=100-199")

    assert (status, body) == (206, FILM[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(FILM)}"


def test_a_range_past_the_end_is_416(house: NginxHouse) -> None:
    status, _, _ = house.ask(link() + "v.mp4", Cookie=f"viewer={VIEWER}", Range="bytes=999999-")

    assert status == 416


@pytest.mark.parametrize(
    ("path", "cookie"),
    [
        pytest.param(link() + "v.mp4", "viewer=somebody-else", id="other viewer"),
        pytest.param(link() + "v.mp4", "", id="no cookie"),
        pytest.param(link(folder=OTHER).replace(OTHER, FOLDER) + "v.mp4", f"viewer={VIEWER}", id="other folder"),
        pytest.param("/v/" + "A" * 22 + f"/9999999999/{FOLDER}/v.mp4", f"viewer={VIEWER}", id="invented signature"),
        pytest.param(
            signed(FOLDER, expires_s=1000000000, viewer="x") + "v.mp4", f"viewer={VIEWER}", id="lapsed and wrong"
        ),
        pytest.param(
            signed(FOLDER, expires_s=9999999999, viewer=VIEWER, key="b" * 64) + "v.mp4", f"viewer={VIEWER}", id="key"
        ),
        pytest.param(
            signed(FOLDER, expires_s=1000000000, viewer=VIEWER).replace("/1000000000/", "/9999999999/") + "v.mp4",
            f"viewer={VIEWER}",
            id="other expiry",
        ),
        pytest.param(link() + "link.txt", f"viewer={VIEWER}", id="a symbolic link out of the library"),
    ],
)
def test_a_link_that_is_not_this_viewers_is_403(house: NginxHouse, path: str, cookie: str) -> None:
    status, _, body = house.ask(path, Cookie=cookie)

    assert status == 403
    assert b"Open the film from its page again" in body


def test_a_lapsed_link_is_410(house: NginxHouse) -> None:
    status, headers, _ = house.ask(link(seconds=-5) + "v.mp4", Cookie=f"viewer={VIEWER}")

    assert status == 410
    assert "immutable" not in headers.get("cache-control", "")


@pytest.mark.parametrize(
    "name",
    [
        "../" + DIGEST + "/../../../outside.txt",
        "%2e%2e/outside.txt",
        "..%2foutside.txt",
        ".hidden",
        "V.MP4",
        "v.mp4/",
        "",
        "nothing.mp4",
        "a/b.mp4",
    ],
)
def test_other_spellings_of_a_path_are_404(house: NginxHouse, name: str) -> None:
    status, _, body = house.ask(link() + name, Cookie=f"viewer={VIEWER}")

    assert status == 404
    assert body == b"There is nothing at this address.\n"


def test_a_nul_byte_is_400(house: NginxHouse) -> None:
    status, _, _ = house.ask(link() + "v%00.mp4", Cookie=f"viewer={VIEWER}")

    assert status == 400


def test_posting_to_a_film_is_405(house: NginxHouse) -> None:
    status, _, _ = house.ask(link() + "v.mp4", method="POST", body=b"x", Cookie=f"viewer={VIEWER}")

    assert status == 405


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("manifest.mpd", "application/dash+xml; charset=utf-8", False),
        ("master.m3u8", "application/vnd.apple.mpegurl; charset=utf-8", False),
        ("sprites.vtt", "text/vtt; charset=utf-8", True),
        ("poster.jpg", "image/jpeg", True),
        ("metadata.json", "application/json", False),
        ("metadata.txt", "text/plain; charset=utf-8", False),
    ],
)
def test_each_kind_of_file_has_its_type_and_its_caching(house: NginxHouse, name: str, kind: str, kept: bool) -> None:
    _, headers, _ = house.ask(link() + name, Cookie=f"viewer={VIEWER}")

    assert headers["content-type"] == kind
    assert ("immutable" in headers["cache-control"]) is kept


def test_playlists_are_sent_compressed_and_films_are_not(house: NginxHouse) -> None:
    prefix = link()

    _, playlist, body = house.ask(prefix + "manifest.mpd", Cookie=f"viewer={VIEWER}", Accept_Encoding="gzip")
    _, film, _ = house.ask(prefix + "v.mp4", Cookie=f"viewer={VIEWER}", Accept_Encoding="gzip")

    assert playlist["content-encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"<MPD>")
    assert "content-encoding" not in film


def test_an_unchanged_playlist_is_304(house: NginxHouse) -> None:
    prefix = link()
    _, headers, _ = house.ask(prefix + "master.m3u8", Cookie=f"viewer={VIEWER}")

    status, _, _ = house.ask(prefix + "master.m3u8", Cookie=f"viewer={VIEWER}", If_None_Match=headers["etag"])

    assert status == 304


def test_a_cover_is_kept_for_ever_and_other_kinds_are_not_served(house: NginxHouse) -> None:
    status, headers, body = house.ask(f"/covers/ab/{DIGEST}.jpg")
    drawing, _, _ = house.ask(f"/covers/ab/{DIGEST}.svg")

    assert (status, body, headers["content-type"]) == (200, b"\xff\xd8cover", "image/jpeg")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert drawing == 404


def test_no_request_for_media_reaches_python_and_no_link_reaches_a_log(house: NginxHouse) -> None:
    house.upstream.seen.clear()
    prefix = link()

    for name in ("v.mp4", "manifest.mpd", "nothing.mp4"):
        house.ask(prefix + name, Cookie=f"viewer={VIEWER}")

    assert house.upstream.seen == []
    assert prefix not in house.log.read_text() + house.errors.read_text()


def test_the_inner_door_of_exports_is_closed_to_browsers(house: NginxHouse) -> None:
    before = len(house.upstream.seen)

    status, _, _ = house.ask("/_export/" + "ab" * 32)

    assert status == 404
    assert len(house.upstream.seen) == before
