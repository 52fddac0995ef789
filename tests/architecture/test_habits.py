"""The habits of other sites that our stand-ins can show, and the test that shows each.

Ways in which any site can misbehave are a matrix of their own: `tests/unit/resolver/test_misbehaviour.py`.
"""

from __future__ import annotations

import ast

import pytest

from tests.support.code import ROOT, parsed

KODIK, READING = "tests/unit/resolver/test_kodik.py", "tests/unit/resolver/test_kodik_reading.py"
PLAYER, WALK = "tests/unit/resolver/test_kodik_player.py", "tests/contract/test_kodik_walk.py"
ARCHIVE, PEERTUBE = "tests/unit/resolver/test_internet_archive.py", "tests/unit/resolver/test_peertube.py"
COMMONS, FACTS = "tests/unit/resolver/test_wikimedia_commons.py", "tests/unit/catalogue/test_providers.py"

HABITS = {
    "Kodik's catalogue": {
        "several voices of a title": f"{KODIK}::test_all_voices_of_a_title_are_one_hit",
        "nothing found": f"{KODIK}::test_nothing_found_is_an_empty_answer",
        "status 500 with each error of its own": f"{KODIK}::test_an_error_inside_a_500_is_read_and_not_asked_again",
        "next_page with the token": f"{KODIK}::test_a_recorded_next_page_loses_its_token",
        "a result without shikimori_id": f"{READING}::test_a_title_goes_by_the_first_id_it_has",
        "a film without seasons": f"{KODIK}::test_films_without_any_id_are_grouped_by_name_and_year",
        "episode 0, and season 3 alone": f"{KODIK}::test_episode_zero_and_a_lone_third_season_stand_in_the_title",
        "blocked_countries": f"{READING}::test_blocked_countries_seasons_and_flags_are_read",
        "an old host in the link": f"{KODIK}::test_a_link_at_an_old_host_is_named_and_not_opened",
        "a slow answer": f"{KODIK}::test_a_slow_answer_is_could_not_ask",
        "a refused connection": f"{KODIK}::test_a_refused_connection_is_could_not_ask",
        "a token that may not search": f"{KODIK}::test_a_token_that_may_not_search_finds_titles_at_shikimori",
    },
    "Kodik's player": {
        "the page of a serial": f"{READING}::test_every_field_of_a_recorded_serial_page_is_read",
        "the page of a film": f"{READING}::test_every_field_of_a_recorded_film_page_is_read",
        "a film with one voice": f"{PLAYER}::test_a_film_is_opened_with_many_voices_or_one",
        "the script under all its names": f"{PLAYER}::test_the_script_is_found_under_all_its_names",
        "a path that changes": f"{PLAYER}::test_the_path_is_looked_up_once_and_again_when_it_changed",
        "a rotation that changes": f"{PLAYER}::test_rotations_may_change_between_two_calls",
        "a plain src": f"{READING}::test_a_plain_link_is_taken_as_it_is",
        "the direct and the proxied form": f"{PLAYER}::test_proxied_links_work_as_direct_ones",
        "720 missing": f"{PLAYER}::test_a_missing_height_is_stepped_over",
        "720 with a manifest of 404": f"{PLAYER}::test_a_height_whose_playlist_is_gone_is_stepped_over",
        "a stale signature": f"{PLAYER}::test_stale_signatures_are_fetched_afresh_once",
        "a block by country": f"{PLAYER}::test_a_block_by_country_is_told_as_one",
        "skipButton empty": f"{PLAYER}::test_an_episode_without_parts_to_skip_has_none",
        "skipButton from 00": f"{PLAYER}::test_the_opening_and_the_ending_come_with_the_offers",
    },
    "Kodik's media host": {
        "a playlist, and a segment of 503 once": (
            f"{WALK}::test_an_episode_is_fetched_whole_though_its_segments_have_colons_and_one_fails_once"
        ),
        "302 to another host": f"{PLAYER}::test_a_playlist_may_be_at_another_host",
        "a segment of 404": f"{WALK}::test_a_missing_segment_fails_the_fetch_and_leaves_no_hole",
        "an expired link": f"{WALK}::test_an_expired_link_fails_and_a_fresh_one_works",
        "ranges": f"{WALK}::test_segments_can_be_asked_for_in_ranges",
    },
    "Shikimori": {
        "REST beside GraphQL": f"{FACTS}::test_the_rest_card_is_read_when_graphql_has_nothing",
        "301 for an id with a letter": f"{FACTS}::test_the_rest_card_is_read_when_graphql_has_nothing",
        "404": f"{FACTS}::test_shikimori_has_nothing_is_none",
        "429": f"{FACTS}::test_after_too_many_calls_shikimori_is_left_alone_for_a_minute",
        "451, 520": f"{FACTS}::test_a_refusal_or_an_outage_is_a_failure",
        "a redirect to another domain": f"{FACTS}::test_a_site_that_moved_to_a_host_off_the_list_is_not_believed",
        "no Russian name, [null] names, score 0.0": f"{FACTS}::test_optional_fields_of_a_card_may_all_be_missing",
        "no poster": f"{FACTS}::test_a_poster_may_be_missing",
        "the same while Kodik's names are looked up": f"{KODIK}::test_odd_cards_of_shikimori_lose_what_is_odd",
    },
    "OMDb": {
        "a film": f"{FACTS}::test_omdb_knows_a_film_by_its_id",
        "a series with its en dash": f"{FACTS}::test_omdb_knows_a_series_by_its_name_and_its_en_dash",
        "a search": f"{FACTS}::test_omdb_s_search_is_asked_when_the_exact_name_is_not_there",
        "each error that means nothing": f"{FACTS}::test_omdb_s_ways_to_say_nothing",
        "each error that means trouble": f"{FACTS}::test_omdb_s_own_trouble_is_not_nothing",
        "the limit": f"{FACTS}::test_after_the_limit_omdb_is_left_alone_until_the_next_day",
        "522 and HTML": f"{FACTS}::test_an_outage_of_omdb_is_a_failure",
        "N/A everywhere, Ratings missing": f"{FACTS}::test_n_a_everywhere_is_none_everywhere",
    },
    "Internet Archive": {
        "string or list": f"{ARCHIVE}::test_fields_may_be_a_string_or_a_list",
        "unknown, dark, collection": f"{ARCHIVE}::test_no_such_item_is_not_found",
        "302, spaces and # in names": f"{ARCHIVE}::test_names_with_spaces_signs_and_folders_are_escaped_and_fetched",
        "MPEG2 alone": f"{ARCHIVE}::test_only_mpeg2_is_still_offered",
    },
    "PeerTube": {
        "HLS alone": f"{PEERTUBE}::test_a_site_with_playlists_alone_is_enough",
        "HLS and files": f"{PEERTUBE}::test_the_playlist_with_all_heights_goes_before_the_files",
        "sound alone, sound apart": f"{PEERTUBE}::test_files_of_sound_alone_and_of_picture_alone_are_left_out",
        "a password": f"{PEERTUBE}::test_a_video_behind_a_password_is_closed_and_says_so",
        "429 with Retry-After": f"{PEERTUBE}::test_a_busy_site_tells_how_long_to_wait",
        "live": f"{PEERTUBE}::test_live_broadcasts_and_what_is_not_for_all_are_not_found",
        "no licence": f"{PEERTUBE}::test_licences_have_short_names",
        "a result on another host": f"{PEERTUBE}::test_what_the_index_finds_is_asked_for_at_its_own_host",
    },
    "Wikimedia Commons": {
        "a missing page": f"{COMMONS}::test_no_such_video_is_not_found",
        "a rendition of sound alone": f"{COMMONS}::test_sound_alone_is_left_out_and_addresses_lose_their_counters",
        "the upload without transcodekey": (
            f"{COMMONS}::test_renditions_for_browsers_go_first_then_the_upload_then_what_browsers_cannot_play"
        ),
        "HTML in its facts": f"{COMMONS}::test_html_in_all_facts_becomes_text",
    },
}


@pytest.mark.parametrize("site", HABITS)
def test_every_habit_of_a_site_has_a_test_that_shows_it(site: str) -> None:
    lost = []
    for habit, node in HABITS[site].items():
        path, _, name = node.partition("::")
        defined = {one.name for one in parsed(ROOT / path).body if isinstance(one, ast.FunctionDef)}
        lost += [habit] if name not in defined else []

    assert lost == []
