"""Pieces that do not come: what may be left out, who says so, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_downloader.adapters.engine import fetch
from kinodom_downloader.domain import asking, lacking, working
from kinodom_downloader.domain.faults import SegmentGap, SegmentMissing
from kinodom_downloader.domain.fetched import Fetched, Hole
from kinodom_downloader.domain.holes import Leave, Missing, PartsMissing, TooManyHoles, in_words, stretches
from kinodom_downloader.domain.live import Spot
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from tests.support import origin
from tests.support.fetching import bytes_of, transport_for
from tests.support.origin import Origin
from tests.support.wish_world import WISH_ID, Offers, World
from tests.unit.downloader.test_offers_midway import Disk, RealFetch, packets

COUNT, LENGTH_S = 60, 2
GAP = "#EXT-X-GAP\n"


def plan(*, parts: int = 100, tracks: int = 1) -> Plan:
    segments = tuple(Segment(url=f"http://h/{index}", duration_s=2.0) for index in range(parts))
    return Plan(tracks=(TrackPlan(role="muxed", segments=segments),) * tracks, duration_s=2.0 * parts, total_bytes=None)


def failure(number: int = 1) -> SegmentMissing:
    return SegmentMissing(f"The host says that segment {number} does not exist.")


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        put(server, "a")
        yield server


def put(host: Origin, name: str, gaps: tuple[int, ...] = ()) -> None:
    rows = "".join(f"{GAP if n in gaps else ''}#EXTINF:{LENGTH_S},\nseg{n}.ts\n" for n in range(COUNT))
    host.files[f"/{name}/index.m3u8"] = f"#EXTM3U\n{rows}#EXT-X-ENDLIST\n".encode()
    host.files |= {f"/{name}/seg{n}.ts": packets(n, 4) for n in range(COUNT) if n not in gaps}


def fetched(host: Origin, folder: Path, leave: Leave, name: str = "a") -> Fetched:
    offer = Offer(source="demo", url=f"{host.address}/{name}/index.m3u8", delivery="hls")
    return fetch(
        offer, folder, transport=transport_for(host), workers=4, on_progress=lambda _progress: None,
        should_stop=lambda: False, leave=leave,
    )  # fmt: skip


def gone(host: Origin, name: str, *numbers: int) -> None:
    for number in numbers:
        host.faults[f"/{name}/seg{number}.ts"] = origin.status(404)


def test_neighbours_and_other_tracks_make_one_stretch() -> None:
    found = stretches(plan(tracks=2), [Spot(0, 3), Spot(0, 4), Spot(1, 4), Spot(1, 40)])

    assert found == ((6.0, 10.0), (80.0, 82.0))


def test_stretches_are_told_as_on_a_clock() -> None:
    assert in_words([(174.0, 180.0), (3723.4, 3729.4)]) == "2:54-3:00, 1:02:03-1:02:09"
    assert in_words([(1.0, 2.0)] * 9).endswith(", ...")


@pytest.mark.parametrize(("leave", "holes", "ends"), [("any", 5, False), ("any", 6, True), ("nothing", 1, True)])
def test_no_more_is_left_out_than_a_twentieth_of_a_film(leave: Leave, holes: int, ends: bool) -> None:
    missing = Missing(plan(), (), leave)

    told = [missing.add(Spot(0, 10 * index), failure(index)) for index in range(holes)]

    assert (told[-1] is not None) == ends


def test_no_more_than_twenty_holes_are_left_out_of_a_long_film() -> None:
    missing = Missing(plan(parts=10_000), (), "any")

    told = [missing.add(Spot(0, 10 * index), failure(index)) for index in range(21)]

    assert told[:20] == [None] * 20
    assert isinstance(told[20], TooManyHoles)
    assert "20 holes" in str(told[20])


def test_a_failure_that_is_not_of_one_piece_is_never_left_out() -> None:
    error = UpstreamFailed("The host is away.")

    assert Missing(plan(), (), "any").add(Spot(0, 1), error) is error


def test_what_the_source_says_is_missing_is_refused_when_a_whole_film_is_wanted() -> None:
    with pytest.raises(SegmentGap, match="0:06-0:08"):
        Missing(plan(), [Spot(0, 3)], "nothing")


def test_a_gap_of_the_source_becomes_a_hole(host: Origin, tmp_path: Path) -> None:
    put(host, "gap", gaps=(3, 4))

    (track,) = fetched(host, tmp_path, "gaps", "gap").tracks

    assert track.holes == (Hole(3, 4.0),)
    assert len(track.parts) == COUNT - 2
    assert not any(path.endswith(("seg3.ts", "seg4.ts")) for path in host.asked)


def test_a_gap_in_front_and_at_the_end_are_holes_too(host: Origin, tmp_path: Path) -> None:
    put(host, "ends", gaps=(0, COUNT - 1))

    (track,) = fetched(host, tmp_path, "gaps", "ends").tracks

    assert track.holes == (Hole(0, 2.0), Hole(COUNT - 2, 2.0))


def test_a_discontinuity_in_a_hole_stands_behind_it(host: Origin, tmp_path: Path) -> None:
    put(host, "marked", gaps=(3,))
    text = host.files["/marked/index.m3u8"].decode()
    host.files["/marked/index.m3u8"] = text.replace(GAP, f"#EXT-X-DISCONTINUITY\n{GAP}").encode()

    (track,) = fetched(host, tmp_path, "gaps", "marked").tracks

    assert (track.breaks, track.holes) == ((3,), (Hole(3, 2.0),))


def test_pieces_that_do_not_come_are_named_all_together(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7, 30)

    with pytest.raises(PartsMissing, match=r"0:14-0:16, 1:00-1:02\. The host says that segment") as caught:
        fetched(host, tmp_path, "gaps")

    assert caught.value.stretches == ((14.0, 16.0), (60.0, 62.0))
    assert len(host.asked) == COUNT + 1  # the others were fetched


def test_a_piece_that_comes_after_all_leaves_no_hole(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7)
    with pytest.raises(PartsMissing):
        fetched(host, tmp_path, "gaps")
    host.faults.clear()

    (track,) = fetched(host, tmp_path, "any").tracks

    assert track.holes == ()
    assert bytes_of(track) == b"".join(host.files[f"/a/seg{n}.ts"] for n in range(COUNT))


def test_on_somebodys_word_the_film_comes_without_them(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7, 30)

    (track,) = fetched(host, tmp_path, "any").tracks

    assert track.holes == (Hole(7, 2.0), Hole(29, 2.0))
    assert bytes_of(track) == b"".join(host.files[f"/a/seg{n}.ts"] for n in range(COUNT) if n not in (7, 30))


def test_a_film_of_which_too_much_is_missing_is_refused_on_anybodys_word(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", *range(0, 40, 4))

    with pytest.raises(TooManyHoles, match="5%"):
        fetched(host, tmp_path, "any")


def test_the_first_bad_piece_ends_the_fetch_when_nobody_said_so(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7)

    with pytest.raises(SegmentMissing, match="segment 8 of 60"):
        fetched(host, tmp_path, "nothing")


def worked(host: Origin, folder: Path, *names: str, world: World | None = None) -> tuple[World, Disk]:
    world = world or World()
    offers = tuple(Offer(source=name, url=f"{host.address}/{name}/index.m3u8", delivery="hls") for name in names)
    disk = Disk(root=folder)
    tools = replace(world.tools, fetch=RealFetch((host,)), library=disk, resolver=Offers(offers_now=offers))
    working.fulfil(token="t", tools=tools)
    return world, disk


def test_an_offer_without_a_hole_is_preferred(host: Origin, tmp_path: Path) -> None:
    put(host, "gap", gaps=(3,))

    world, disk = worked(host, tmp_path, "gap", "a")

    assert world.wishes.get(WISH_ID).state == "ready"
    assert disk.film == b"".join(host.files[f"/a/seg{n}.ts"] for n in range(COUNT))


def test_a_film_comes_with_the_gaps_that_its_only_source_names(host: Origin, tmp_path: Path) -> None:
    put(host, "gap", gaps=(3,))

    world, disk = worked(host, tmp_path, "gap")

    assert world.wishes.get(WISH_ID).state == "ready"
    assert disk.film == b"".join(host.files[f"/gap/seg{n}.ts"] for n in range(COUNT) if n != 3)


def test_gaps_are_not_taken_while_a_whole_film_may_come_soon(host: Origin, tmp_path: Path) -> None:
    put(host, "gap", gaps=(3,))
    host.faults["/a/index.m3u8"] = origin.status(500)

    world, _disk = worked(host, tmp_path, "gap", "a")

    assert world.wishes.get(WISH_ID).state == "waiting"


def test_a_wish_waits_and_tells_what_it_lacks(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7, 30)

    world, _disk = worked(host, tmp_path, "a")

    wish = world.wishes.get(WISH_ID)
    assert (wish.state, wish.reason_code) == ("waiting", "parts_missing")
    assert [(hole.from_s, hole.to_s) for hole in asking.wire(wish).missing] == [(14.0, 16.0), (60.0, 62.0)]


def test_a_wish_is_fulfilled_with_its_holes_when_somebody_says_so(host: Origin, tmp_path: Path) -> None:
    gone(host, "a", 7, 30)
    world, _disk = worked(host, tmp_path, "a")

    asking.keep_with_holes(WISH_ID, desk=world.desk)
    _world, disk = worked(host, tmp_path, "a", world=world)

    assert world.wishes.get(WISH_ID).state == "ready"
    assert disk.film == b"".join(host.files[f"/a/seg{n}.ts"] for n in range(COUNT) if n not in (7, 30))


def test_a_wish_that_lacks_nothing_cannot_be_kept_with_holes(world: World) -> None:
    with pytest.raises(lacking.NothingMissing):
        asking.keep_with_holes(WISH_ID, desk=world.desk)


def test_a_wish_that_stops_for_another_reason_is_not_offered_with_holes(world: World) -> None:
    stopped: list[KinodomError] = [PartsMissing("gone.", ((2.0, 4.0),)), UpstreamFailed("The host is away.")]
    for error in stopped:
        world.fetch.broken = {world.resolver.offers_now[0].url: error}
        world.work()
        world.now_s += 1000

    assert asking.wire(world.wishes.get(WISH_ID)).missing == ()


@pytest.fixture
def world() -> World:
    return World()
