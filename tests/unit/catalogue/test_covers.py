from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response

from kinodom_catalogue.adapters.covers import LARGEST_BYTES, CoverNotKept, DiskCovers, picture_ending
from kinodom_common.errors import UpstreamFailed
from tests.support.outside import outside_for
from tests.support.served import served

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 200
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 200
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + b"w" * 200


class Gallery:
    """A site with one picture."""

    def __init__(self) -> None:
        self.body = JPEG
        self.status = 200
        self.url = ""

    def app(self) -> Flask:
        app = Flask("gallery")

        @app.get("/p.jpg")
        def picture() -> Response:
            return Response(self.body, self.status, content_type="text/html")

        return app


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    gallery = Gallery()
    with served(gallery.app()) as url:
        gallery.url = f"{url}/p.jpg"
        yield gallery


@pytest.fixture
def covers(gallery: Gallery, tmp_path: Path) -> DiskCovers:
    return DiskCovers(outside_for(gallery.url), tmp_path / "covers")


@pytest.mark.parametrize(("body", "ending"), [(JPEG, "jpg"), (PNG, "png"), (WEBP, "webp")])
def test_a_picture_is_kept_under_the_name_of_its_content(
    gallery: Gallery, covers: DiskCovers, tmp_path: Path, body: bytes, ending: str
) -> None:
    gallery.body = body

    names = {covers.keep(gallery.url), covers.keep(gallery.url)}

    expected = f"{hashlib.sha256(body).hexdigest()[:32]}.{ending}"
    assert names == {expected}
    assert [path.name for path in (tmp_path / "covers").iterdir()] == [expected]
    assert (tmp_path / "covers" / expected).read_bytes() == body
    assert (tmp_path / "covers" / expected).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xd8\xff", b"<svg onload=alert(1)>" + b" " * 200, b"GIF89a" + b"g" * 200, b"<html>" + b"x" * 200],
)
def test_what_is_no_picture_is_not_kept(gallery: Gallery, covers: DiskCovers, tmp_path: Path, body: bytes) -> None:
    gallery.body = body

    assert covers.keep(gallery.url) is None
    assert not (tmp_path / "covers").exists()


def test_a_picture_of_more_than_five_megabytes_is_not_kept(gallery: Gallery, covers: DiskCovers) -> None:
    gallery.body = JPEG + b"x" * LARGEST_BYTES

    assert covers.keep(gallery.url) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/p.jpg", "file:///etc/passwd", "http://[::1]/x", "nonsense"])
def test_an_address_that_may_not_be_called_gives_no_picture(covers: DiskCovers, url: str) -> None:
    assert covers.keep(url) is None


def test_a_picture_that_is_gone_is_none_and_a_site_in_trouble_a_failure(gallery: Gallery, covers: DiskCovers) -> None:
    gallery.status = 404
    assert covers.keep(gallery.url) is None

    gallery.status = 503
    with pytest.raises(UpstreamFailed):
        covers.keep(gallery.url)


def test_a_disk_that_does_not_take_it_is_a_failure(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CoverNotKept):
        DiskCovers(outside_for(gallery.url), tmp_path / "file").keep(gallery.url)


def test_the_name_of_a_file_does_not_make_it_a_picture() -> None:
    assert picture_ending(b"p.jpg" * 100) is None
