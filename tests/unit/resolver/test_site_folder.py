"""The folder of described sites: looked at again without a restart, and no bad file takes a good one down."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinodom_common.egress import EgressRules, OutsideClient
from kinodom_common.settings import read_settings
from kinodom_resolver import wiring
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine
from kinodom_resolver.adapters.redis_settings import RedisSettings
from kinodom_resolver.adapters.site_folder import LOOK_EVERY_S, SiteFileBroken, SiteFolder
from kinodom_resolver.domain import finding, operating
from kinodom_resolver.domain.wall import Wall
from kinodom_resolver.settings import Settings
from tests.support.fake_sites import DESCRIPTIONS
from tests.support.fake_sources import StillClock

NOTHING_SET, NOTHING_KNOWN = RedisSettings(RedisLine(None), key=None), RedisHealth(RedisLine(None))
OUTSIDE = OutsideClient(rules=EgressRules(), user_agent="Kinodom test")
LANTERN = (DESCRIPTIONS / "lantern.yaml").read_text(encoding="utf-8")
TIDEPOOL = (DESCRIPTIONS / "tidepool.yaml").read_text(encoding="utf-8")
BROKEN = LANTERN.replace("h3", "h3[")


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


def folder(root: Path, clock: StillClock, *taken: str, off: str = "") -> SiteFolder:
    return SiteFolder(root, OUTSIDE, taken=frozenset(taken), off=frozenset({off}), clock=clock)


def test_each_file_is_a_source(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)
    (tmp_path / "b.yml").write_text(TIDEPOOL)
    (tmp_path / "notes.txt").write_text("not for us")

    rows = folder(tmp_path, clock).rows()

    assert [(row.name, row.label, row.weight, row.mistakes) for row in rows] == [
        ("lantern", "Lantern", 60, ()),
        ("tidepool", "Tidepool", 50, ()),
    ]


def test_a_bad_file_is_shown_with_its_mistakes_beside_the_good_ones(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(BROKEN)
    (tmp_path / "b.yaml").write_text(TIDEPOOL)

    rows = folder(tmp_path, clock).rows()

    sick, good = operating.cards(rows, settings=NOTHING_SET, book=NOTHING_KNOWN).sources[::-1]
    assert (good.name, good.enabled) == ("tidepool", True)
    assert (sick.name, sick.label, sick.enabled) == ("lantern", "a.yaml", False)
    assert sick.mistakes[0].startswith("a.yaml:11: ")


def test_a_sick_site_is_silent_in_a_search_and_no_reason_to_forget_its_titles(
    tmp_path: Path, clock: StillClock
) -> None:
    (tmp_path / "a.yaml").write_text(BROKEN)
    rows = folder(tmp_path, clock).rows()

    reply = finding.search("x", listed=rows, wall=Wall(), deadline_s=60)

    assert [(one.source, one.state, one.code) for one in reply.sources] == [("lantern", "silent", "site_file_broken")]
    with pytest.raises(SiteFileBroken, match=r"a\.yaml:11"):
        finding.title("lantern:%2Ffilm%2Fx", listed=rows, wall=Wall(), deadline_s=60)


def test_a_change_counts_after_two_seconds_and_not_before(tmp_path: Path, clock: StillClock) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(LANTERN)
    sites = folder(tmp_path, clock)
    assert [row.label for row in sites.rows()] == ["Lantern"]
    path.write_text(LANTERN.replace("label: Lantern", "label: New Lantern"))
    (tmp_path / "b.yaml").write_text(TIDEPOOL)

    clock.now_s += LOOK_EVERY_S - 0.1
    before = [row.label for row in sites.rows()]
    clock.now_s += 0.1
    after = [row.label for row in sites.rows()]

    assert (before, after) == (["Lantern"], ["New Lantern", "Tidepool"])


def test_a_file_that_did_not_change_keeps_its_source(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)
    sites = folder(tmp_path, clock)
    before = sites.rows()[0].source
    (tmp_path / "b.yaml").write_text(TIDEPOOL)
    clock.now_s += LOOK_EVERY_S

    assert sites.rows()[0].source is before


def test_a_file_that_is_taken_away_is_gone(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)
    sites = folder(tmp_path, clock)
    sites.rows()
    (tmp_path / "a.yaml").unlink()
    clock.now_s += LOOK_EVERY_S

    assert sites.rows() == ()


def test_two_files_of_one_name_are_one_source_and_one_mistake(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)
    (tmp_path / "b.yaml").write_text(LANTERN)

    rows = folder(tmp_path, clock).rows()

    assert [row.mistakes for row in rows] == [(), ("b.yaml:2: `name`: lantern is taken by a.yaml",)]
    assert len({row.name for row in rows}) == 2


def test_the_name_of_another_source_cannot_be_taken(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN.replace("name: lantern ", "name: ia "))

    row = folder(tmp_path, clock, "ia").rows()[0]

    assert row.mistakes == ("a.yaml:2: `name`: ia is taken by another source",)
    assert row.name != "ia"


def test_a_site_is_switched_off_by_its_name(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)

    assert folder(tmp_path, clock, off="lantern").rows()[0].source is None


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path, clock: StillClock) -> None:
    assert folder(tmp_path / "gone", clock).rows() == ()


def test_the_service_lists_the_sites_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(LANTERN)
    told = {"KINODOM_INNER_KEY": "an invented key", "KINODOM_SITES_ROOT": str(tmp_path)}

    deps = wiring.build(read_settings(Settings, told))

    assert "lantern" in [row.name for row in deps.present]
