"""Tokens of scripts: what they open, and what stays shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.settings import read_settings
from kinodom_gateway.settings import Settings
from tests.support.gateway import House, a_house, a_video

if TYPE_CHECKING:
    from pathlib import Path

MINE = "an-invented-token-of-a-test"
OTHER = "another-invented-token-of-a-test"
SHOWN = {"Authorization": f"Bearer {MINE}"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path, api_tokens=f"{OTHER}, {MINE}")


def test_a_script_with_a_token_needs_neither_cookie_nor_page(house: House) -> None:
    reply = house.client().post("/api/v1/demo", headers=SHOWN)

    assert reply.status_code == 404  # asked: the demo site is not there
    assert reply.get_json()["code"] == "no_demo"


@pytest.mark.parametrize("shown", [f"{MINE}x", MINE[:-1], "", f"{OTHER}, {MINE}", "Ж"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_token_opens_nothing(house: House, shown: str, method: str) -> None:
    headers = {"Authorization": f"Bearer {shown}".encode().decode("latin-1")}

    reply = house.client().open("/api/v1/wishes", method=method, headers=headers)

    assert (reply.status_code, reply.get_json()["code"]) == (401, "token_unknown")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_opens_no_form_of_a_page(house: House) -> None:
    reply = house.client().post("/demo", headers={**SHOWN, "Accept": "application/json"})

    assert (reply.status_code, reply.get_json()["code"]) == (403, "forged_request")


def test_a_house_without_tokens_lets_no_script_in(tmp_path: Path) -> None:
    reply = a_house(tmp_path).client().post("/api/v1/demo", headers=SHOWN)

    assert (reply.status_code, reply.get_json()["code"]) == (403, "forged_request")


def test_a_script_is_the_same_viewer_each_time_and_not_that_of_another_token(house: House) -> None:
    def seen(token: str) -> tuple[str, str]:
        answer = house.client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).get_json()
        return answer["viewer_id"], answer["name"]

    assert seen(MINE) == seen(MINE)
    assert seen(MINE) != seen(OTHER)
    assert seen(MINE)[1] == "A script"


def test_a_script_gets_the_cookie_that_its_links_are_signed_over(house: House) -> None:
    house.put_on_disk(a_video())
    script = house.client()

    links = [
        script.post("/api/v1/links", json={"video_id": a_video().video_id}, headers=SHOWN).get_json()["manifest_url"]
        for _ in range(2)
    ]

    assert links[0] == links[1]
    assert script.get_cookie("viewer") is not None


@pytest.mark.parametrize("tokens", ["short", f"{MINE},short", f"{MINE} {MINE}", "x" * 201])
def test_a_token_that_could_be_guessed_stops_the_start(tokens: str) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(Settings, {"KINODOM_API_TOKENS": tokens})

    assert "KINODOM_API_TOKENS: Value error, each token needs 24 to 200" in str(caught.value)
    assert tokens not in str(caught.value)
