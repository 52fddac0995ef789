"""The downloads page as a browser without scripts gets it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import EpisodeRef, TitleCard, Translation
from kinodom_common.contracts.videos import RenditionJob
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_common.errors import UpstreamFailed
from tests.support.gateway import CARD, EXTERNAL, NOW, SOURCE_TITLE, House, a_house, a_wish

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from kinodom_common.contracts.wishes import WishState

SAME = {"Origin": "http://localhost"}
HALF = Progress(
    stage="fetching", fraction=0.44, fetched_bytes=900_000_000, total_bytes=2_100_000_000,
    speed_bytes_s=4_400_000.0, left_s=130.0,
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = a_house(tmp_path)
    made.now_s = NOW.timestamp()
    return made


def csrf_of(browser: FlaskClient, path: str = "/") -> str:
    found = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get(path).text)
    assert found is not None
    return found.group(1)


def section(text: str, name: str) -> str:
    """Return one part of the page as plain text."""
    found = re.search(rf'<section[^>]* aria-labelledby="{name}">(.*?)</section>', text, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split()) if found else ""


def test_what_comes_says_how_far_how_fast_how_long_and_who_asked(house: House) -> None:
    browser = house.client()
    mine = browser.get("/api/v1/me").get_json()["viewer_id"]
    asked = {"mine": mine, "yours": "lyovas-id", "scripts": "script-1"}
    house.downloader.kept = [
        a_wish("running", 2, wish_id=name, progress=HALF, request=request_by(who)) for name, who in asked.items()
    ]

    now = section(browser.get("/downloads").text, "now")

    assert "3 at once, 13.2\xa0MB/s" in now.replace(" MB/s", "\xa0MB/s")
    assert "44 %, 900 MB of 2.1 GB" in now
    assert "4.4 MB/s, 3 minutes left" in now
    assert now.count("Asked by") == 2
    assert "Prichal, 720p. Asked by Guest LY" in now
    assert "Asked by A script" in now


def request_by(viewer_id: str, **changes: object) -> WishRequest:
    whole = {
        "external_id": EXTERNAL, "season": 1, "episode": 2, "translation_id": "prichal", "height_px": 720,
        "translation_name": "Prichal", "title": CARD, "asked_by": viewer_id,
    }  # fmt: skip
    return WishRequest.model_validate({**whole, **changes})


@pytest.mark.parametrize(
    ("stage", "told"), [("asking", "asking the source"), ("packaging", "packaging"), ("publishing", "putting it")]
)
def test_what_is_not_fetched_just_now_says_its_stage_in_words(house: House, stage: str, told: str) -> None:
    house.downloader.kept = [a_wish("running", progress=HALF.model_copy(update={"stage": stage}))]

    assert told in section(house.client().get("/downloads").text, "now")


def test_what_began_once_more_says_why(house: House) -> None:
    house.downloader.kept = [a_wish("running", progress=HALF.model_copy(update={"anew": True}))]

    assert "The source has changed the film, so it comes from the beginning." in section(
        house.client().get("/downloads").text, "now"
    )


@pytest.mark.parametrize("state", ["running", "ready"])
def test_what_came_from_a_list_without_an_end_says_how_much_of_it_there_is(house: House, state: WishState) -> None:
    progress = HALF.model_copy(update={"endless": True, "duration_s": 2520.0})
    house.downloader.kept = [a_wish(state, progress=progress)]

    assert "Live: recorded 42 min, the source may have more by now" in section(
        house.client().get("/downloads").text, "now" if state == "running" else "done"
    )


def test_what_stopped_says_how_far_it_came_why_what_is_kept_and_what_to_do(house: House) -> None:
    house.downloader.kept = [a_wish("refused", progress=HALF, reason="This film is locked.", reason_code="drm")]

    text = house.client().get("/downloads").text

    needs = section(text, "needs")
    assert "Stopped at 44 %, 900 MB of 2.1 GB" in needs
    assert "This film is locked. What came so far is kept. Try again Choose another dub" in needs
    assert 'class="strip strip--stuck"' in text


def test_a_wish_that_waits_for_the_disk_needs_somebody_and_one_that_waits_for_a_source_does_not(house: House) -> None:
    later = NOW + timedelta(minutes=5)
    house.downloader.kept = [
        a_wish("waiting", 1, wish_id="full", reason_code="no_space", reason="Waits for space.", next_try_at=later),
        a_wish("waiting", 2, wish_id="slow", reason_code="source_silent", reason="No answer.", next_try_at=later),
        a_wish("wanted", 3, wish_id="next"),
    ]

    text = house.client().get("/downloads").text

    assert "Waits for space." in section(text, "needs")
    assert "No answer. It is tried again in 5 minutes." in section(text, "then")
    assert "Waits for its turn" in section(text, "then")
    assert "No answer." not in section(text, "needs")


def test_what_is_done_stands_beside_with_its_time_and_size(house: House) -> None:
    done = Progress(stage="publishing", fraction=1.0, fetched_bytes=5, total_bytes=800_000_000)
    house.downloader.kept = [a_wish("ready", 6, progress=done, changed_at=NOW - timedelta(hours=2))]

    assert "episode 6 2 hours ago, 800 MB" in section(house.client().get("/downloads").text, "done")


def test_a_film_that_is_only_watched_says_so(house: House) -> None:
    house.downloader.kept = [a_wish("running", keep=False)]

    assert "only to watch" in section(house.client().get("/downloads").text, "now")


def test_a_queue_that_is_longer_than_the_page_says_how_much_stands_behind(house: House) -> None:
    house.downloader.kept = [a_wish("wanted", n, wish_id=f"w{n}", position=float(n)) for n in range(1, 231)]

    text = house.client().get("/downloads").text

    assert text.count('data-state="wanted"') == 200
    assert "30 more stand behind these." in text


def test_what_left_the_queue_can_be_put_back(house: House) -> None:
    house.downloader.kept = [a_wish("wanted", 2, request=request_by("v", height_px=360))]
    browser = house.client()

    left = browser.post("/wishes/wwwwwwww/forget", data={"csrf": csrf_of(browser)}, headers=SAME)
    text = browser.get(left.headers["Location"]).text
    form = re.search(r'<form class="toast".*?</form>', text, re.S)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group(0)))
    back = browser.post("/wishes", data=fields, headers=SAME)

    assert house.downloader.done == [("forget", "wwwwwwww")]
    assert "“The Tin Lighthouse, episode 2” left the queue." in form.group(0)
    assert (back.status_code, back.headers["Location"]) == (303, "/downloads")
    [asked] = house.downloader.asked
    assert (asked.season, asked.episode, asked.height_px, asked.translation_id) == (1, 2, 360, "prichal")


def test_nobody_else_can_write_what_the_page_says(house: House) -> None:
    text = house.client().get("/downloads?left=eyJuYW1lIjoiUGF5IGhlcmUifQ.forged").text

    assert 'class="toast"' not in text


def test_a_season_that_is_a_year_can_be_asked_for(house: House) -> None:
    yearly = Translation(translation_id="prichal", name="Prichal", episodes=(EpisodeRef(season=2024, episode=7),))
    house.resolver.titles[EXTERNAL] = SOURCE_TITLE.model_copy(update={"translations": (yearly,)})
    browser = house.client()
    form = {"external_id": EXTERNAL, "translation_id": "prichal", "episodes": ["2024.7"], "csrf": csrf_of(browser)}

    reply = browser.post("/wishes", data=form, headers=SAME)

    assert (reply.status_code, house.downloader.asked[0].season) == (303, 2024)


def test_an_address_of_a_film_is_begun_at_once(house: House) -> None:
    film = TitleCard(external_id="demo:salt-and-moon", name="Salt and Moon", kind="film")
    house.put_film_at_source(film)
    browser = house.client()

    reply = browser.post("/downloads", data={"address": film.external_id, "csrf": csrf_of(browser)}, headers=SAME)

    assert (reply.status_code, reply.headers["Location"]) == (303, "/downloads")
    assert [request.external_id for request in house.downloader.asked] == [film.external_id]


def test_an_address_of_a_series_leads_to_its_page_to_choose(house: House) -> None:
    browser = house.client()

    reply = browser.post("/downloads", data={"address": f" {EXTERNAL} ", "csrf": csrf_of(browser)}, headers=SAME)

    assert (reply.status_code, reply.headers["Location"]) == (303, f"/find/{EXTERNAL}")
    assert house.downloader.asked == []


@pytest.mark.parametrize("address", ["", "only words"])
def test_what_is_no_address_is_refused_in_words(house: House, address: str) -> None:
    browser = house.client()

    reply = browser.post(
        "/downloads", data={"address": address, "csrf": csrf_of(browser)}, headers={**SAME, "Accept": "text/html"}
    )

    assert reply.status_code == 400


@pytest.mark.parametrize("act", ["retry", "pause", "resume"])
def test_one_press_changes_all(house: House, act: str) -> None:
    house.downloader.kept = [a_wish("running"), a_wish("paused")]
    browser = house.client()

    reply = browser.post("/downloads/all", data={"act": act, "csrf": csrf_of(browser)}, headers=SAME)

    assert (reply.status_code, house.downloader.done) == (303, [("all", act)])


def test_the_buttons_for_all_stand_there_when_they_would_do_something(house: House) -> None:
    def offered(*states: str) -> set[str]:
        house.downloader.kept = [a_wish(state, n, wish_id=f"w{n}") for n, state in enumerate(states)]
        text = house.client().get("/downloads").text
        return {name for name in ("Pause all", "Let all go on", "Try all again") if f"{name}</button>" in text}

    assert offered() == set()
    assert offered("running", "paused") == {"Pause all", "Let all go on"}
    assert offered("refused") == set()
    assert offered("refused", "refused") == {"Try all again"}


def test_the_downloads_page_says_why_something_stopped_and_offers_to_try_again(house: House) -> None:
    house.downloader.kept = [a_wish(state="refused", reason="This film is protected (DRM).", reason_code="drm")]

    text = house.client().get("/downloads").text

    assert "This film is protected (DRM)." in text
    assert "Try again" in text


def test_the_downloads_page_says_how_full_the_disk_is_or_nothing(house: House) -> None:
    known = house.client().get("/downloads").text
    house.downloader.disk_error = UpstreamFailed("The downloader does not answer.")

    unknown = house.client().get("/downloads")

    assert "120.0\xa0GB free of 500.0\xa0GB" in known
    assert 'aria-label="80.0\xa0GB films, 110.0\xa0GB to use, 300.0\xa0GB other, 10.0\xa0GB kept free"' in known
    assert '<rect class="strip__floor" x="980"' in known
    assert (unknown.status_code, "GB free" in unknown.text) == (200, False)


def test_the_queue_stands_in_its_order_and_each_row_moves_by_one(house: House) -> None:
    places = {"c": 1.0, "a": 2.0, "b": 3.0}
    house.downloader.kept = [
        a_wish("wanted", number, wish_id=name, position=places[name]) for number, name in enumerate("abc", 1)
    ]

    text = house.client().get("/downloads").text

    assert re.findall(r'data-wish="(\w)"', text) == ["c", "a", "b"]
    assert re.findall(r'wishes/(\w)/move".*?name="before" value="(\w?)"', text) == [
        ("c", "b"),
        ("a", "c"),
        ("a", ""),
        ("b", "a"),
    ]
    assert 'aria-label="Earlier: The Tin Lighthouse, episode 1"' in text


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("running", {"Pause", "Cancel"}),
        ("wanted", {"Pause", "Take off the list"}),
        ("waiting", {"Pause", "Try again now", "Take off the list"}),
        ("paused", {"Go on", "Take off the list"}),
        ("refused", {"Try again", "Take off the list"}),
        ("publishing", set()),
    ],
)
def test_each_state_has_its_buttons_with_names(house: House, state: str, buttons: set[str]) -> None:
    house.downloader.kept = [a_wish(state)]

    text = house.client().get("/downloads").text

    assert set(re.findall(r'<button[^>]* aria-label="([\w ]+): The Tin Lighthouse, episode 2"', text)) == buttons


@pytest.mark.parametrize(
    ("act", "fields", "did"),
    [
        ("pause", {}, ("pause", "w1")),
        ("resume", {}, ("resume", "w1")),
        ("move", {"before": "w2"}, ("move", "w1", "w2")),
        ("move", {"before": ""}, ("move", "w1", None)),
    ],
)
def test_the_buttons_of_the_queue_work_without_a_script(
    house: House, act: str, fields: dict[str, str], did: tuple[str | None, ...]
) -> None:
    house.downloader.kept = [a_wish()]
    browser = house.client()

    reply = browser.post(f"/wishes/w1/{act}", data={**fields, "csrf": csrf_of(browser)}, headers=SAME)

    assert (reply.status_code, reply.headers["Location"], house.downloader.done) == (303, "/downloads", [did])


def a_remake(number: int, **changes: object) -> RenditionJob:
    return RenditionJob.model_validate(
        {"video_id": f"{number:064x}", "name": f"Film {number}", "state": "wanted", "heights_px": (480,), **changes}
    )


def test_further_qualities_say_what_is_made_how_far_and_why_not(house: House) -> None:
    house.downloader.remade = [
        a_remake(1),
        a_remake(2, state="refused", reason_code="program_failed", reason="ffmpeg ended with 1"),
        a_remake(3, state="running", fraction=0.37),
    ]

    shown = section(house.client().get("/downloads").text, "remakes")

    assert shown.index("Film 3") < shown.index("Film 2") < shown.index("Film 1")
    assert "480p a further quality is being made, 37 %" in shown
    assert "ffmpeg ended with 1 Try again" in shown
    assert "made when nothing is being downloaded" in shown


def test_a_further_quality_that_was_given_up_is_tried_again_by_its_button(house: House) -> None:
    house.downloader.remade = [a_remake(2, state="refused", reason_code="program_failed", reason="It failed.")]
    browser = house.client()

    reply = browser.post(f"/renditions/{2:064x}/retry", data={"csrf": csrf_of(browser)}, headers=SAME)

    assert reply.status_code == 303
    assert house.downloader.done == [("retry_rendition", f"{2:064x}")]
