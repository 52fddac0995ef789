"""A film that is still coming, as players see it: pure rules."""

from __future__ import annotations

import json
from dataclasses import replace

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_downloader.domain import guests, live, order, watching
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.live import Head, Spot
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan

NOW_S = 1_790_000_000.0


def pieces(count: int, *, init: bool = False, key: str | None = None) -> tuple[Segment, ...]:
    first = (Segment(url="https://a/init.mp4", is_init=True),) if init else ()
    rest = tuple(
        Segment(url=f"https://a/{n}.ts?token=x", duration_s=4.0, key_url=key, iv_hex="0" * 32 if key else "")
        for n in range(count)
    )
    return first + rest


def a_plan(*tracks: TrackPlan, duration_s: float | None = 40.0) -> Plan:
    return Plan(tracks=tracks or (TrackPlan(role="muxed", segments=pieces(10)),), duration_s=duration_s)


def a_wish(**changes: object) -> rules.StoredWish:
    request = WishRequest(external_id="demo:salt", title=TitleCard(external_id="demo:salt", name="Salt"), watch=True)
    return replace(rules.new_wish(request, now_s=NOW_S, request_id=""), **changes)  # type: ignore[arg-type]


def test_a_playlist_lists_the_whole_film_under_our_own_names_and_without_keys() -> None:
    plan = a_plan(TrackPlan(role="muxed", segments=pieces(3, init=True, key="https://a/key")))

    text = live.playlists(plan)["t0.m3u8"]

    assert text.splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD", '#EXT-X-MAP:URI="t0-000000.seg"', "#EXTINF:4.000000,", "t0-000001.seg",
        "#EXTINF:4.000000,", "t0-000002.seg", "#EXTINF:4.000000,", "t0-000003.seg", "#EXT-X-ENDLIST",
    ]  # fmt: skip


def test_a_break_in_the_source_is_a_break_in_the_playlist() -> None:
    first, second = pieces(2)
    plan = a_plan(TrackPlan(role="muxed", segments=(first, replace(second, breaks=True))))

    assert "#EXT-X-DISCONTINUITY\n#EXTINF:4.000000,\nt0-000001.seg" in live.playlists(plan)["t0.m3u8"]


def test_sounds_stand_in_the_master_with_names_that_break_out_of_nothing() -> None:
    sound = TrackPlan(role="audio", segments=pieces(2), language="ru", name='Prichal"\n#EXT')
    plan = a_plan(TrackPlan(role="video", segments=pieces(2), bandwidth=1_000_000), sound)

    master = live.playlists(plan)[live.MASTER]

    assert 'NAME="Prichal#EXT",LANGUAGE="ru"' in master
    assert master.rstrip().endswith('BANDWIDTH=1000000,AUDIO="a"\nt0.m3u8')


def test_other_pieces_are_another_generation_and_fresh_addresses_are_not() -> None:
    plan = a_plan()
    fresh = a_plan(TrackPlan(role="muxed", segments=tuple(replace(one, url="https://b/") for one in pieces(10))))
    shorter = a_plan(TrackPlan(role="muxed", segments=pieces(9)))

    assert live.generation(plan) == live.generation(fresh) != live.generation(shorter)


def test_a_film_whose_sound_is_silent_for_a_period_comes_when_it_is_ready() -> None:
    picture = TrackPlan(role="video", segments=pieces(2))
    sound = TrackPlan(role="audio", segments=pieces(1), silences=((0, 4.0),))

    assert live.shape_of(a_plan(picture, sound)) == "none"


def test_a_single_file_is_told_as_one_and_several_as_none() -> None:
    file = TrackPlan(role="muxed", shape="file", segments=(Segment(url="https://a/f.mp4"),), file_bytes=9)
    nameless = replace(file, file_bytes=None)

    assert [live.shape_of(a_plan(*tracks)) for tracks in ((file,), (nameless,), (file, file))] == [
        "file", "none", "none",
    ]  # fmt: skip
    assert json.loads(live.facts(a_plan(file)))["shape"] == "file"


def test_what_is_waited_for_comes_first_then_what_follows_each_viewer_at_last_what_has_passed() -> None:
    plan = a_plan()
    starts = live.starts_s(plan)
    heads = [Head(Spot(0, 6), 24.0, 0.0), Head(Spot(0, 2), 8.0, 0.0)]

    (urgency,) = live.urgencies(plan, starts, heads)

    assert sorted(range(10), key=lambda index: urgency[index])[:6] == [2, 6, 3, 7, 4, 8]
    assert sorted(range(10), key=lambda index: urgency[index])[-2:] == [0, 1]


def test_init_sections_come_before_all_but_what_is_waited_for() -> None:
    plan = a_plan(TrackPlan(role="video", segments=pieces(5, init=True)))

    (urgency,) = live.urgencies(plan, live.starts_s(plan), [Head(Spot(0, 4), 12.0, 0.0)])

    assert sorted(range(6), key=lambda index: urgency[index])[:3] == [4, 0, 5]


def test_the_stretches_on_the_disk_are_told_joined() -> None:
    plan = a_plan()
    there = {Spot(0, index) for index in (0, 1, 5, 9)}

    assert live.have(plan, live.starts_s(plan), there) == [[0.0, 8.0], [20.0, 24.0], [36.0, 40.0]]


def test_a_watched_film_waits_for_no_place_in_the_queue() -> None:
    watched = rules.claim(a_wish(), token="t", now_s=NOW_S)
    kept = rules.claim(a_wish(viewed_at_s=0.0), token="u", now_s=NOW_S)

    assert order.held_now([watched, kept], now_s=NOW_S) == 1


def test_asking_to_keep_what_was_only_watched_keeps_it_and_watching_changes_nothing_of_that() -> None:
    guest = a_wish()
    keep = guest.request.model_copy(update={"watch": False})

    kept = watching.asked(guest, keep, now_s=NOW_S)

    assert (guest.keep, kept.keep, watching.asked(kept, guest.request, now_s=NOW_S + 5).keep) == (False, True, True)


def test_a_viewer_lets_a_waiting_wish_try_again_twice_and_never_one_without_space() -> None:
    def next_try(waits: int, code: str) -> float:
        waiting = a_wish(state="waiting", waits=waits, reason_code=code, next_try_at_s=NOW_S + 100)
        return watching.viewed(waiting, now_s=NOW_S).next_try_at_s - NOW_S

    assert [next_try(1, "x"), next_try(2, "x"), next_try(3, "x"), next_try(1, "no_space")] == [0, 0, 100, 100]


def a_guest(name: str, *, unseen_s: float, gb: float, keep: bool = False) -> rules.StoredWish:
    progress = Progress(stage="publishing", fraction=1.0, total_bytes=int(gb * 1e9))
    return a_wish(wish_id=name, state="ready", keep=keep, viewed_at_s=NOW_S - unseen_s, progress=progress)


def test_guests_go_the_longest_unseen_first_until_the_rest_has_room() -> None:
    room = guests.GuestRoom(gb=5, days=30)
    films = [a_guest(name, unseen_s=hours * 3600, gb=2) for name, hours in (("a", 1), ("b", 30), ("c", 3), ("d", 20))]

    assert [one.wish_id for one in guests.outstayed(films, room, now_s=NOW_S)] == ["b", "d"]


def test_a_guest_that_plays_and_a_film_that_is_kept_never_go() -> None:
    room = guests.GuestRoom(gb=0, days=0)
    films = [a_guest("plays", unseen_s=60, gb=9), a_guest("kept", unseen_s=9e6, gb=9, keep=True)]

    assert guests.outstayed(films, room, now_s=NOW_S) == []


def test_a_guest_goes_when_nobody_has_seen_it_for_long_however_much_room_there_is() -> None:
    room = guests.GuestRoom(gb=100, days=2)
    films = [a_guest("old", unseen_s=3 * 86_400, gb=1), a_guest("new", unseen_s=86_400, gb=1)]

    assert [one.wish_id for one in guests.outstayed(films, room, now_s=NOW_S)] == ["old"]
