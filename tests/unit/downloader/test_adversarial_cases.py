"""Twenty-five ways in which sources are hostile or odd: what stands where, and what stands nowhere else."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.domain.faults import PlaylistBad, PlaylistRefused, SegmentUnreachable
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

HERE = "downloader/test_adversarial_cases.py::"
HLS = "downloader/test_engine_hls.py::"
LISTS = "downloader/test_engine_lists.py::"
TEXT = "downloader/test_playlists.py::"
FILES = "downloader/test_engine_files.py::"
RESUME = "downloader/test_engine_resume.py::"
BUSY = "downloader/test_busy_hosts.py::"
FULL = "downloader/test_full_disks.py::"
KILLED = "downloader/test_publish_killed.py::"
GATE = "downloader/test_gate.py::"
PACK = "downloader/test_packaging.py::"
PACKED = "downloader/test_cases_packaged.py::"
HOLED = "downloader/test_holed_films.py::"
PUBLISH = "downloader/test_publish.py::"
WORK = "downloader/test_working.py::"
MIDWAY = "downloader/test_offers_midway.py::"
TRUTH = "downloader/test_truth.py::test_a_bad_host_leaves_no_silent_hole"
STRANGERS = "downloader/test_strangers.py::"
RULES = "common/test_egress_rules.py::"

CASES: dict[int, tuple[str, ...]] = {
    1: (TEXT + "test_a_byte_order_mark_carriage_returns_and_blanks_are_no_matter",
        HERE + "test_case_1_a_messy_list_plays"),
    2: (TRUTH, HLS + "test_a_bad_key_is_named", LISTS + "test_a_playlist_that_is_none_is_refused_in_words"),
    3: (TRUTH, HLS + "test_a_fault_that_passes_leaves_no_trace_in_the_film"),
    4: (TRUTH, HLS + "test_a_cut_segment_goes_on_where_it_was_cut"),
    5: (GATE + "test_media_behind_a_fake_picture_is_found",
        HERE + "test_case_5_segments_that_call_themselves_pictures_play"),
    6: (GATE + "test_a_gzip_bomb_is_refused", HERE + "test_case_6_a_packed_playlist_is_unpacked_and_a_bomb_refused"),
    7: (LISTS + "test_byte_ranges_of_one_file_are_fetched", TRUTH),
    8: (HERE + "test_cases_8_and_9_keys_rotate_count_from_two_to_the_forty_and_end", HLS + "test_a_bad_key_is_named",
        TEXT + "test_a_vector_that_is_not_16_bytes_is_bad", GATE + "test_wrong_padding_is_not_cut_blindly"),
    9: (HERE + "test_cases_8_and_9_keys_rotate_count_from_two_to_the_forty_and_end", TEXT + "test_drm_is_refused",
        FILES + "test_live_and_locked_dash_is_refused"),
    10: (HERE + "test_case_10_a_locked_init_section_in_a_range_is_opened",
         PACK + "test_a_second_init_section_is_obeyed"),
    11: (PACK + "test_restarted_clocks_are_put_behind_each_other",
         HERE + "test_case_11_five_hundred_discontinuities_are_marked",
         PACKED + "test_case_11_five_hundred_restarted_clocks_stay_in_step_to_the_end",
         PACKED + "test_case_11_sound_and_picture_from_two_lists_stay_in_step_over_many_discontinuities",
         PACKED + "test_case_11_a_clock_that_goes_round_goes_on",
         PACKED + "test_case_11_a_film_goes_on_behind_each_advertisement"),
    12: (TEXT + "test_addresses_are_joined_to_where_the_playlist_came_from",
         TEXT + "test_other_schemes_are_refused_wherever_they_stand"),
    13: (HLS + "test_a_fault_that_stays_fails_by_name",
         LISTS + "test_the_playlists_address_after_redirects_is_the_base",
         STRANGERS + "test_case_13_a_redirect_inward_is_followed_by_nobody",
         RULES + "test_a_name_that_turns_inward_between_two_calls_is_refused_at_the_second"),
    14: (TEXT + "test_lists_without_measure_are_refused", HERE + "test_case_14_lists_in_lists_end"),
    15: (LISTS + "test_separate_sounds_and_subtitles_are_tracks_of_their_own",
         PACK + "test_sound_and_picture_from_two_files_keep_their_distance",
         HERE + "test_case_15_two_languages_with_one_name_are_two_tracks",
         PACKED + "test_case_15_every_rendition_is_a_track_with_its_name_and_the_late_sound_stays_late",
         PACKED + "test_case_15_a_sound_that_is_shorter_than_the_picture_shortens_nothing"),
    16: (LISTS + "test_a_list_without_an_end_that_stays_the_same_is_a_whole_film", TRUTH,
         LISTS + "test_a_list_without_an_end_is_waited_for_three_target_durations_and_no_longer",
         PACKED + "test_case_16_a_list_without_an_end_becomes_a_film_of_what_it_lists"),
    17: (LISTS + "test_one_long_segment_is_fetched_in_ranges",
         PACKED + "test_case_17_ten_times_the_segments_take_hardly_more_memory",
         PACKED + "test_case_17_a_segment_of_three_hours_is_split_by_ranges_and_keeps_its_length"),
    18: (TEXT + "test_a_gap_is_a_segment_without_an_address", TEXT + "test_odd_durations_are_bounded",
         "downloader/test_holes.py::test_a_gap_of_the_source_becomes_a_hole",
         HOLED + "test_a_hole_keeps_its_time_in_picture_and_sound",
         PACKED + "test_case_18_a_length_that_is_none_is_taken_from_what_came"),
    19: (MIDWAY + "test_links_that_run_out_are_asked_for_again_at_once",
         HLS + "test_a_fresh_link_with_other_tokens_keeps_what_is_finished",
         "downloader/test_plan.py::test_another_cut_of_the_film_starts_that_track_over"),
    20: (BUSY + "test_a_host_that_asks_to_wait_is_left_alone_for_so_long_and_a_minute_at_most",
         BUSY + "test_rubbish_instead_of_a_time_to_wait_is_a_common_pause",
         BUSY + "test_a_host_that_serves_two_at_once_is_asked_for_hardly_more",
         BUSY + "test_a_host_that_is_too_busy_half_of_the_time_gives_the_film"),
    21: (RESUME + "test_a_host_that_stops_or_crawls_is_given_up",
         HERE + "test_case_21_a_host_that_stalls_in_the_handshake_is_given_up"),
    22: (WORK + "test_a_full_disk_makes_the_wish_wait_for_space", PUBLISH + "test_a_full_disk_keeps_what_is_staged",
         FULL + "test_a_disk_that_fills_anywhere_from_the_first_byte_to_the_last_makes_the_wish_wait_and_go_on",
         FULL + "test_a_disk_without_room_for_another_file_makes_the_wish_wait_and_go_on",
         FULL + "test_a_disk_that_was_made_read_only_makes_the_wish_wait_and_go_on"),
    23: (RESUME + "test_killed_again_and_again_the_film_is_the_same",
         KILLED + "test_killed_in_fetching_also_with_the_power_the_next_run_brings_the_same_film",
         KILLED + "test_killed_in_publishing_nothing_half_is_shown_and_the_next_run_makes_it_whole",
         KILLED + "test_killed_anywhere_between_the_first_byte_and_the_row_a_wish_ends_with_the_same_folder",
         PUBLISH + "test_killed_at_any_step_there_is_no_folder_or_a_whole_one_and_a_rerun_makes_it_whole",
         "downloader/test_engine_parts.py::test_after_a_power_cut_nothing_unflushed_is_believed"),
    24: (FILES + "test_a_file_is_fetched_in_ranges_side_by_side",
         PACK + "test_what_browsers_play_is_copied_and_the_rest_converted",
         PACKED + "test_case_24_every_shape_of_a_file_gives_a_film_of_exactly_its_length",
         PACKED + "test_case_24_frames_at_odd_times_stay_where_they_are",
         PACKED + "test_case_24_a_minute_without_a_key_frame_is_one_fragment",
         PACKED + "test_case_24_hevc_keeps_its_length"),
    25: (STRANGERS + "test_case_25_names_of_segments_reach_no_path",
         STRANGERS + "test_case_25_odd_hosts_are_refused_and_not_called",
         STRANGERS + "test_case_25_titles_reach_no_path_no_argument_and_no_line_of_a_list",
         STRANGERS + "test_case_25_a_wish_that_is_cancelled_late_leaves_nothing",
         WORK + "test_sixty_four_askers_make_one_wish", PUBLISH + "test_only_a_video_id_can_name_a_folder",
         WORK + "test_the_worker_of_a_cancelled_wish_shows_nothing_and_deletes_its_parts"),
}  # fmt: skip


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def film(folder: Path) -> bytes:
    return b"".join((folder / f"seg{index}.ts").read_bytes() for index in range(6))


def locked(plain: bytes, iv: int) -> bytes:
    maker = Cipher(algorithms.AES(media.KEY), modes.CBC(iv.to_bytes(16))).encryptor()
    count = 16 - len(plain) % 16
    return maker.update(plain + bytes([count]) * count) + maker.finalize()


@pytest.mark.parametrize("number", range(1, 26))
def test_each_case_is_held_by_tests_that_exist(number: int) -> None:
    unit = Path(__file__).parents[1]

    for node in CASES[number]:
        file, _, name = node.partition("::")
        assert re.search(rf"^def {name}\(", (unit / file).read_text(), re.MULTILINE), node


def test_case_1_a_messy_list_plays(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    text = host.files["/index.m3u8"].decode()
    messy = "\ufeff" + text.replace("\n", "  \r\n\r\n").replace(".ts", ".ts?a=1,2&b=%20")
    host.files["/index.m3u8"] = messy.encode()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


@pytest.mark.parametrize("ending", ["jpg", "js", "png"])
def test_case_5_segments_that_call_themselves_pictures_play(host: Origin, tmp_path: Path, ending: str) -> None:
    host.put(media.hls_ts())
    host.files["/index.m3u8"] = host.files["/index.m3u8"].replace(b".ts", f".{ending}".encode())
    for index in range(6):
        host.files[f"/seg{index}.{ending}"] = host.files.pop(f"/seg{index}.ts")
        host.faults[f"/seg{index}.{ending}"] = origin.changed(bytes, {"Content-Type": "image/png"})

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_case_6_a_packed_playlist_is_unpacked_and_a_bomb_refused(
    host: Origin, tmp_path: Path, headers: dict[str, str]
) -> None:
    host.put(media.hls_ts())
    host.faults["/index.m3u8"] = origin.changed(gzip.compress, headers)

    fetched = fetch_from(host, "/index.m3u8", tmp_path / "a")
    host.files["/index.m3u8"] = b"#EXTM3U\n" + b"\n" * 20_000_000

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())
    with pytest.raises(PlaylistBad, match="without end"):
        fetch_from(host, "/index.m3u8", tmp_path / "b")


def test_cases_8_and_9_keys_rotate_count_from_two_to_the_forty_and_end(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.files["/key.bin"] = media.KEY
    rows = ["#EXTM3U", f"#EXT-X-MEDIA-SEQUENCE:{2**40}"]
    for index in range(6):
        is_locked = index < 4
        rows += [f'#EXT-X-KEY:METHOD=AES-128,URI="key.bin?{index}"' if is_locked else "#EXT-X-KEY:METHOD=NONE"]
        rows += ["#EXTINF:2,", f"seg{index}.ts"]
        if is_locked:
            host.files[f"/seg{index}.ts"] = locked(host.files[f"/seg{index}.ts"], 2**40 + index)
    host.files["/index.m3u8"] = "\n".join([*rows, "#EXT-X-ENDLIST"]).encode()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


def test_case_10_a_locked_init_section_in_a_range_is_opened(host: Origin, tmp_path: Path) -> None:
    parts = [media.hls_fmp4() / "init.mp4", *(media.hls_fmp4() / f"seg{index}.m4s" for index in range(6))]
    bodies = [locked(part.read_bytes(), 7) for part in parts]
    host.files |= {"/film.bin": b"".join(bodies), "/key.bin": media.KEY}
    rows = ["#EXTM3U", f'#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x{7:032x}']
    rows += [f'#EXT-X-MAP:URI="film.bin",BYTERANGE="{len(bodies[0])}@0"']
    at = len(bodies[0])
    for body in bodies[1:]:
        rows += ["#EXTINF:2,", f"#EXT-X-BYTERANGE:{len(body)}@{at}", "film.bin"]
        at += len(body)
    host.files["/index.m3u8"] = "\n".join([*rows, "#EXT-X-ENDLIST"]).encode()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == b"".join(part.read_bytes() for part in parts)


def test_case_11_five_hundred_discontinuities_are_marked(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    rows = [f"#EXT-X-DISCONTINUITY\n#EXTINF:2,\nseg{index % 6}.ts?{index}" for index in range(500)]
    host.files["/index.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()

    (track,) = fetch_from(host, "/index.m3u8", tmp_path).tracks

    assert track.breaks == tuple(range(1, 500))
    assert [part.stat().st_size for part in track.parts[:6]] == [len(host.files[f"/seg{n}.ts"]) for n in range(6)]


def test_case_14_lists_in_lists_end(host: Origin, tmp_path: Path) -> None:
    for depth in range(11):
        host.files[f"/{depth}.m3u8"] = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{depth + 1}.m3u8\n".encode()
    host.files["/wide.m3u8"] = ("#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n" * 10_000).encode()

    for entry in ("/0.m3u8", "/wide.m3u8"):
        with pytest.raises(PlaylistRefused):
            fetch_from(host, entry, tmp_path / entry[1:])

    assert sum(host.asked.values()) < 10


def test_case_15_two_languages_with_one_name_are_two_tracks(host: Origin, tmp_path: Path) -> None:
    for name in ("v", "en", "ru"):
        host.put(media.hls_ts(), at=f"/{name}")
    sounds = "".join(
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Stereo",LANGUAGE="{name}",URI="{name}/index.m3u8"\n'
        for name in ("en", "ru")
    )
    host.files["/m.m3u8"] = f'#EXTM3U\n{sounds}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv/index.m3u8\n'.encode()

    fetched = fetch_from(host, "/m.m3u8", tmp_path)

    assert [(track.language, track.name) for track in fetched.tracks[1:]] == [("en", "Stereo"), ("ru", "Stereo")]


def test_case_21_a_host_that_stalls_in_the_handshake_is_given_up(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    text = host.files["/index.m3u8"].decode()
    # The host speaks no TLS: it waits for the end of a request that never comes, and says nothing.
    secure = f"https://127.0.0.1:{host.port}/seg3.ts"
    host.files["/index.m3u8"] = text.replace("seg3.ts", secure).encode()
    limits = Limits(connect_s=0.2, first_byte_s=0.3, stall_s=0.3, slow_after_s=1.0, still_s=0.0)

    with pytest.raises(SegmentUnreachable, match="egment 4 of 6"):
        fetch_from(host, "/index.m3u8", tmp_path, transport=transport_for(host, limits=limits))
