"""Who may change something: cookies, tokens, origins, hosts, links."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from kinodom_gateway.domain.links import media_link
from kinodom_gateway.viewer import CSP, Gate
from tests.support.gateway import House, a_house, a_video

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def test_a_link_is_signed_as_nginx_checks_it() -> None:
    video_id = "ab" * 32

    link = media_link(video_id, viewer_cookie="cookie.sig", key="key", now_s=1_800_000_000.9, life_s=60)

    text = f"1800000060 ab/{video_id} cookie.sig key".encode()
    signature = base64.urlsafe_b64encode(hashlib.md5(text).digest()).rstrip(b"=").decode()
    assert link.manifest_url == f"/v/{signature}/1800000060/ab/{video_id}/manifest.mpd"


def test_two_viewers_get_different_links(house: House) -> None:
    house.put_on_disk(a_video())
    path = f"/watch/{a_video().video_id}"

    links = {re.findall(r"/v/([\w-]{22})/", house.client().get(path).text)[0] for _ in range(2)}

    assert len(links) == 2


def test_a_viewer_stays_the_same_with_the_cookie_and_is_new_with_a_forged_one() -> None:
    gate = Gate("s" * 64, "m" * 64)
    first = gate.viewer(None)

    assert gate.viewer(first.cookie).viewer_id == first.viewer_id
    assert gate.viewer(first.cookie[:-2] + "xx").viewer_id != first.viewer_id
    assert gate.viewer("rubbish").fresh


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"Origin": "http://localhost"}, None),
        ({"Origin": "http://localhost"}, "forged"),
        ({"Origin": "http://elsewhere.example"}, "right"),
        ({"Origin": "null"}, "right"),
        ({"Origin": "http://localhost:81"}, "right"),
    ],
)
def test_what_changes_something_needs_our_page(house: House, headers: dict[str, str], token: str | None) -> None:
    browser = house.client()
    right = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get("/").text)
    assert right is not None
    value = right.group(1) if token == "right" else token
    sent = {**headers, **({"X-CSRF-Token": value} if value else {})}

    reply = browser.post("/api/v1/demo", headers=sent)

    assert (reply.status_code, reply.json["code"]) == (403, "forged_request")
    assert house.downloader.asked == []


def test_a_token_of_another_viewer_is_refused(house: House) -> None:
    found = re.search(r'<meta name="csrf" content="([^"]+)"', house.client().get("/").text)
    assert found is not None
    other = house.client()
    other.get("/")

    reply = other.post("/api/v1/demo", headers={"X-CSRF-Token": found.group(1)})

    assert reply.status_code == 403


def test_the_house_answers_only_under_its_own_names(house: House) -> None:
    browser = house.client()

    at_home = [browser.get("/", base_url=f"http://{name}").status_code for name in ("kino.local", "192.168.1.5:8080")]
    away = browser.get("/", base_url="http://rebound.example")

    assert at_home == [200, 200]
    assert away.status_code == 421


def test_every_page_keeps_itself_to_itself(house: House) -> None:
    headers = house.client().get("/").headers

    assert headers["Content-Security-Policy"] == CSP
    assert "unsafe" not in CSP
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=Lax" in headers["Set-Cookie"]


def test_errors_of_the_api_are_problem_documents(house: House) -> None:
    reply = house.client().get("/api/v1/nothing", headers={"Accept": "text/html"})

    assert reply.mimetype == "application/problem+json"
    assert reply.json["code"] == "no_such_page"
