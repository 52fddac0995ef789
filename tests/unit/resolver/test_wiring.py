from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from kinodom_common.settings import read_settings
from kinodom_resolver import wiring
from kinodom_resolver.domain import finding, operating
from kinodom_resolver.settings import Settings
from tests.support.fake_sources import FakeSource

KEY = {"KINODOM_INNER_KEY": "an invented key"}


def built(**environ: str) -> wiring.Deps:
    return wiring.build(read_settings(Settings, {**KEY, **environ}))


def test_without_their_settings_the_demo_the_import_folder_and_kodik_are_off() -> None:
    deps = built()

    cards = operating.cards(deps.present, settings=deps.settings, book=deps.book).sources

    assert cards[0].name == "direct"
    assert {card.name for card in cards if not card.enabled} == {"demo", "folder", "kodik"}
    assert {card.name for card in cards if not card.set_up} == {"demo", "folder", "kodik"}


def test_sources_can_be_switched_off_by_name() -> None:
    deps = built(
        KINODOM_SOURCES_OFF="internet_archive, direct",
        KINODOM_YTDLP_EXTRACTORS="off",
        KINODOM_DEMO_URL="http://demo:8000",
    )

    names = {source.name for source in finding.enabled(deps.listed)}
    assert "demo" in names
    assert names.isdisjoint({"internet_archive", "direct"})


def test_peertube_sites_are_named_or_addressed_and_the_index_can_be_switched_off() -> None:
    settings = read_settings(Settings, {**KEY, "KINODOM_PEERTUBE_INSTANCES": "tube.example, http://nas:9000"})
    silent = built(KINODOM_SEPIA_URL="off")

    assert settings.peertube_instances == "https://tube.example/ http://nas:9000/"
    assert "peertube" not in {source.name for source in finding.enabled(silent.listed)}


def test_a_source_that_is_not_there_says_why() -> None:
    deps = built(KINODOM_SOURCES_OFF="direct")

    cards = operating.cards(deps.listed, settings=deps.settings, book=deps.book).sources
    notes = {card.name: card.note for card in cards}

    assert notes["direct"] == "Switched off by KINODOM_SOURCES_OFF."
    assert notes["internet_archive"] is None
    assert notes["folder"] is not None
    assert "KINODOM_IMPORT_ROOT" in notes["folder"]
    assert notes["kodik"] is not None
    assert notes["kodik"].startswith("Not configured. Set KINODOM_KODIK_TOKEN")


def test_a_token_of_the_operator_switches_kodik_on_and_is_shown_to_no_other_source() -> None:
    settings = read_settings(Settings, {**KEY, "KINODOM_KODIK_TOKEN": "an invented token"})

    assert wiring.options_for("kodik", settings)["kodik_token"] == "an invented token"
    assert "an invented token" not in str(wiring.options_for("demo", settings))
    assert "an invented token" not in repr(settings)


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("an invented token\n")

    deps = built(KINODOM_KODIK_TOKEN_FILE=str(tmp_path / "token"))

    assert "kodik" in [source.name for source in finding.enabled(deps.listed)]


def test_lists_reach_a_source_in_their_order() -> None:
    settings = read_settings(Settings, {**KEY, "KINODOM_KODIK_PLAYER_HOSTS": "kodikplayer.com, Kodik.test"})

    assert wiring.options_for("kodik", settings)["kodik_player_hosts"] == "kodikplayer.com,kodik.test"


def test_the_demo_site_may_stand_at_home_and_nothing_else() -> None:
    settings = read_settings(Settings, {**KEY, "KINODOM_DEMO_URL": "http://demo:8000/"})

    client = wiring.way_out(settings)

    assert client.rules.allow_lan == {("demo", 8000)}


def test_a_package_of_somebody_else_adds_a_source_and_a_broken_one_is_left_out() -> None:
    points = [
        EntryPoint("fake", "tests.support.fake_sources:FakeSource", wiring.GROUP),
        EntryPoint("gone", "no_such_package_here:Source", wiring.GROUP),
        EntryPoint("typo", "tests.support.fake_sources:NoSuchClass", wiring.GROUP),
    ]

    known = wiring.known_sources(points)

    assert [str(one) for one in known] == [str(FakeSource)]


def test_the_built_in_sources_are_there_without_an_installed_package() -> None:
    names = {point.name for point in wiring.entry_points()}

    assert {"demo", "direct", "internet_archive"} <= names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW_LAN", "nas.local"),
        ("DEMO_URL", "demo"),
        ("SEARCH_DEADLINE_S", "0"),
        ("PEERTUBE_INSTANCES", "ftp://x"),
        ("IMPORT_ROOT", "films"),
        ("FEEDS", "https://x/" + "y" * 500),
        ("KODIK_TOKEN", "short"),
        ("KODIK_PLAYER_HOSTS", "https://kodikplayer.com"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=f"KINODOM_{name}"):
        read_settings(Settings, {**KEY, f"KINODOM_{name}": value})


def test_addresses_are_not_shown_stale_and_the_rest_is_for_days() -> None:
    settings = read_settings(Settings, {**KEY, "KINODOM_OFFERS_LIFE_MIN": "1", "KINODOM_CACHE_LIFE_TIME": "2"})

    lives = wiring.lives_of(settings)

    assert (lives["offers"].fresh_s, lives["offers"].kept_s) == (300, 0)  # the saving period is the least
    assert (lives["search"].fresh_s, lives["search"].kept_s, lives["title"].kept_s) == (1800, 172_800, 172_800)
