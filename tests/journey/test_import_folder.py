"""Files that the household has come into the house by the whole real path, and stay where they were."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest

from kinodom_house.demo import Browser
from tests.support import media
from tests.support.real_house import real_house

pytestmark = [pytest.mark.house, pytest.mark.timeout(200)]

SRT = "1\n00:00:01,000 --> 00:00:03,000\nThe lamp is lit.\n"


def sums(folder: Path) -> dict[str, str]:
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


def make_films(folder: Path) -> None:
    film = folder / "Tin Lamp (1928)"
    show = folder / "Harbour/Season 01"
    film.mkdir(parents=True)
    show.mkdir(parents=True)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", media.film_mp4(), "-c", "copy"]
    subprocess.run([*command, film / "Tin.Lamp.1928.480p.mkv"], check=True, timeout=60)
    (film / "Tin.Lamp.1928.480p.en.srt").write_text(SRT)
    (show / "Harbour.S01E02.mp4").write_bytes(media.film_mp4().read_bytes())


def wait_until_ready(browser: Browser, wish_id: str) -> None:
    until_s = time.monotonic() + 120
    while (wish := browser.ask(f"/api/v1/wishes/{wish_id}"))["state"] != "ready":
        assert wish["state"] != "refused", wish
        assert time.monotonic() < until_s, wish
        time.sleep(0.2)


def test_a_film_and_an_episode_of_the_household_are_found_taken_over_and_left_alone(tmp_path: Path) -> None:
    films = tmp_path / "films"
    make_films(films)
    before = sums(films)

    with real_house(tmp_path / "data", KINODOM_IMPORT_ROOT=str(films)) as house:
        browser = Browser(f"http://127.0.0.1:{house.port}")
        token = {"X-CSRF-Token": browser.csrf()}
        for words, name in (("tin lamp", "Tin Lamp"), ("harbour", "Harbour")):
            found = browser.ask(f"/api/v1/search?q={words.replace(' ', '+')}")
            hit = next(one for one in found["away"]["hits"] if one["source"] == "folder")  # type: ignore[index]
            form = {"external_id": hit["external_id"], "translation_id": "original"}
            asked = browser.ask("/api/v1/wishes", token, json.dumps(form).encode())
            for wish in asked["wishes"]:  # type: ignore[attr-defined]
                wait_until_ready(browser, wish["wish_id"])
            assert hit["name"] == name
        titles = browser.ask("/api/v1/titles")["titles"]
        metadata = [json.loads(one.read_text()) for one in house.folder.glob("media/library/*/*/metadata.json")]

    assert {one["name"] for one in titles} == {"Tin Lamp", "Harbour"}  # type: ignore[attr-defined]
    videos = {one["video"]["title"]["name"]: one["video"] for one in metadata}
    assert (videos["Harbour"]["season"], videos["Harbour"]["episode"]) == (1, 2)
    assert {"video", "audio", "subtitles"} == {track["kind"] for track in videos["Tin Lamp"]["tracks"]}
    assert sums(films) == before
