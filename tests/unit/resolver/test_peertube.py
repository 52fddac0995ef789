from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import Forbidden, KinodomError, NotFound, UpstreamFailed
from kinodom_resolver.sources.peertube import PeerTube
from tests.support.fake_peertube import INVENTED, RECORDED, FakePeerTube, file, sample, video
from tests.support.mutations import Told, mutated
from tests.support.outside import Rerouted, outside_for
from tests.support.served import served

ID = f"peertube:tube.example%2F{INVENTED}"
RECORDED_ID = f"peertube:tube.example%2F{RECORDED}"
ROUNDS = 100


@pytest.fixture
def site() -> FakePeerTube:
    return FakePeerTube()


@pytest.fixture
def outside(site: FakePeerTube) -> Iterator[Rerouted]:
    with served(site.app()) as url:
        yield Rerouted(tube_example=url)


@pytest.fixture
def source(outside: Rerouted) -> PeerTube:
    return PeerTube(["https://tube.example/"], None, outside)


def test_a_recorded_search_gives_its_videos_at_the_hosts_they_live_on(source: PeerTube, site: FakePeerTube) -> None:
    hits = source.search("internet")

    assert len(hits) == 6
    assert hits[0].external_id == "peertube:framatube.org%2F3a8053f5-0f5c-4036-8271-ac17e2fa6833"
    assert hits[0].name.startswith("JDLL2016 - DIY")
    assert (hits[0].year, hits[0].licence, hits[0].genres) == (2018, None, ())
    assert hits[0].poster_url == "https://tube.example/lazy-static/previews/3a8053f5-0f5c-4036-8271-ac17e2fa6833.jpg"
    assert site.queries == [{"search": "internet", "start": "0", "count": "30", "nsfw": "false"}]


def test_what_the_index_finds_is_asked_for_at_its_own_host(site: FakePeerTube) -> None:
    other = FakePeerTube()
    other.videos = {INVENTED: video()}
    site.search_reply = {
        "total": 1,
        "data": [{"uuid": INVENTED, "url": f"https://other.example/w/{INVENTED}", "name": "Far", "score": 3,
                  "previewUrl": "https://other.example/p.jpg", "account": {"host": "other.example"}}],
    }  # fmt: skip

    with served(site.app()) as index_url, served(other.app()) as other_url:
        outside = Rerouted(index_example=index_url, other_example=other_url)
        source = PeerTube([], "https://index.example", outside)
        hit = source.search("far")[0]
        title = source.title(hit.external_id)

    assert hit.external_id == f"peertube:other.example%2F{INVENTED}"
    assert hit.poster_url == "https://other.example/p.jpg"
    assert title.card.name == "Tin light"
    assert outside.asked[1] == f"https://other.example/api/v1/videos/{INVENTED}"


def test_a_video_found_at_two_places_is_shown_once_and_the_operators_site_goes_first() -> None:
    near, far = FakePeerTube(), FakePeerTube()
    near.search_reply = {"data": [video(name="Near")]}
    far.search_reply = {"data": [video(name="Same"), video(uuid=RECORDED, name="Other")]}

    with served(near.app()) as near_url, served(far.app()) as far_url:
        source = PeerTube([near_url], far_url, outside_for(near_url, far_url))
        hits = source.search("tin")

    assert [hit.name for hit in hits] == ["Near", "Other"]


def test_a_place_that_fails_costs_only_its_own_videos() -> None:
    good, bad = FakePeerTube(), FakePeerTube()
    good.search_reply = {"data": [video()]}
    bad.status = 503

    with served(good.app()) as good_url, served(bad.app()) as bad_url:
        hits = PeerTube([bad_url, good_url], None, outside_for(good_url, bad_url)).search("tin")

    assert [hit.name for hit in hits] == ["Tin light"]


def test_a_place_that_hangs_costs_only_its_own_videos() -> None:
    end = threading.Event()

    class Hanging(Told):
        def get_json(self, url: str) -> Any:
            if "slow" in url:
                end.wait(10)
            return self.value

    source = PeerTube(["https://slow", "https://quick"], None, Hanging({"data": [video()]}), wait_s=0.2)

    hits = source.search("tin")
    end.set()

    assert [hit.name for hit in hits] == ["Tin light"]


def test_when_no_place_answers_the_search_fails() -> None:
    bad = FakePeerTube()
    bad.status = 503

    with served(bad.app()) as url, pytest.raises(UpstreamFailed):
        PeerTube([url], url, outside_for(url)).search("tin")


def test_a_recorded_video_is_a_film_with_its_licence_language_and_heights(source: PeerTube) -> None:
    title = source.title(RECORDED_ID)

    assert title.card.name == "Nothing to Hide (VOSTFR)"
    assert (title.card.year, title.card.kind, title.card.licence) == (2017, "film", "CC BY-NC")
    assert title.card.genres == ("Films", "vostfr")
    assert title.translations[0].language == "en"
    assert title.translations[0].heights_px == (1080, 720, 480, 360, 240)
    assert title.translations[0].episodes[0].duration_s == 5160


def test_the_playlist_with_all_heights_goes_before_the_files(source: PeerTube) -> None:
    offers = source.offers(RECORDED_ID, None, None, "original")

    assert offers[0].delivery == "hls"
    assert offers[0].url.endswith("-master.m3u8")
    assert (offers[0].height_px, offers[0].duration_s) == (None, 5160)
    assert (offers[1].delivery, offers[1].height_px, offers[1].size_bytes) == ("progressive", 1080, 1597348544)
    assert offers[1].url == "https://peertube.cpy.re/static/web-videos/d2a5ec78-5f85-4090-8ec5-dc1102e022ea-1080.mp4"


def test_a_site_with_playlists_alone_is_enough(site: FakePeerTube, source: PeerTube) -> None:
    playlists = [{"type": 1, "playlistUrl": "/static/x-master.m3u8", "files": [file(480)]}]
    site.videos[INVENTED] = video(files=[], streamingPlaylists=playlists)

    title = source.title(ID)
    offers = source.offers(ID, None, None, "original")

    assert title.translations[0].heights_px == (480,)
    assert [(one.delivery, one.url) for one in offers] == [("hls", "https://tube.example/static/x-master.m3u8")]


def test_where_a_playlist_has_no_master_its_renditions_stand_for_it(site: FakePeerTube, source: PeerTube) -> None:
    files = [file(480), file(720, playlistUrl="https://tube.example/720.m3u8"), file(1080, hasAudio=False)]
    site.videos[INVENTED] = video(files=[], streamingPlaylists=[{"type": 1, "files": files}])

    offers = source.offers(ID, None, None, "original")

    assert [(one.delivery, one.height_px) for one in offers] == [("hls", 720), ("progressive", 480)]


def test_files_of_sound_alone_and_of_picture_alone_are_left_out(site: FakePeerTube, source: PeerTube) -> None:
    sound = file(0, resolution={"id": 0, "label": "Audio"}, hasVideo=False)
    site.videos[INVENTED] = video(files=[sound, file(1080, hasAudio=False), file(360)])

    title = source.title(ID)
    offers = source.offers(ID, None, None, "original")

    assert [one.height_px for one in offers] == [360]
    assert title.translations[0].heights_px == (1080, 360)


def test_a_silent_film_is_still_a_film(site: FakePeerTube, source: PeerTube) -> None:
    site.videos[INVENTED] = video(files=[file(480, hasAudio=False), file(1080, hasAudio=False)])

    offers = source.offers(ID, None, None, "original")

    assert [one.height_px for one in offers] == [1080, 480]


@pytest.mark.parametrize(
    "fields",
    [
        {"isLive": True},
        {"state": {"id": 2, "label": "To transcode"}},
        {"files": [file(0, resolution={"id": 0}, hasVideo=False)]},
        {"files": []},
    ],
    ids=["live", "not ready", "sound alone", "nothing"],
)
def test_what_cannot_be_kept_is_not_found(site: FakePeerTube, source: PeerTube, fields: dict[str, object]) -> None:
    site.videos[INVENTED] = video(**fields)

    with pytest.raises(NotFound) as caught:
        source.title(ID)

    assert caught.value.code == "no_such_title"


def test_an_unknown_video_is_not_found(source: PeerTube) -> None:
    with pytest.raises(NotFound):
        source.title(ID)


def test_a_video_behind_a_password_is_closed_and_says_so(site: FakePeerTube, source: PeerTube) -> None:
    site.password = True

    with pytest.raises(Forbidden) as caught:
        source.title(RECORDED_ID)

    assert caught.value.code == "peertube_locked"


def test_a_video_that_its_owner_does_not_let_download_is_not_offered(site: FakePeerTube, source: PeerTube) -> None:
    site.videos[INVENTED] = video(downloadEnabled=False)

    with pytest.raises(Forbidden):
        source.offers(ID, None, None, "original")


def test_a_busy_site_tells_how_long_to_wait(site: FakePeerTube, source: PeerTube) -> None:
    site.status, site.retry_after = 429, "7"

    with pytest.raises(UpstreamFailed) as caught:
        source.search("any")

    assert caught.value.facts["retry_after_s"] == 7.0


def test_captions_of_people_go_before_those_of_machines(site: FakePeerTube, source: PeerTube) -> None:
    site.captions = {"data": [
        {"language": {"id": "fr", "label": "French"}, "automaticallyGenerated": True,
         "captionPath": "/lazy-static/fr.vtt"},
        {"language": {"id": "en", "label": "English"}, "automaticallyGenerated": False,
         "fileUrl": "https://cdn.example/en.vtt", "captionPath": "/old"},
        {"language": {"id": "de"}},
    ]}  # fmt: skip

    subtitles = source.offers(RECORDED_ID, None, None, "original")[0].subtitles

    assert [(one.language, one.name, one.url) for one in subtitles] == [
        ("en", "English", "https://cdn.example/en.vtt"),
        ("fr", "French (made by a machine)", "https://tube.example/lazy-static/fr.vtt"),
    ]


def test_without_its_captions_a_video_is_still_offered(site: FakePeerTube, source: PeerTube) -> None:
    site.captions = None

    offers = source.offers(RECORDED_ID, None, None, "original")

    assert offers[0].subtitles == ()


@pytest.mark.parametrize(("whole", "shown"), [({"description": "Whole."}, "Whole."), (None, "Cut...")])
def test_a_cut_description_is_asked_for_whole(site: FakePeerTube, source: PeerTube, whole: object, shown: str) -> None:
    site.videos[INVENTED] = video(description="Cut...")
    site.description = whole

    title = source.title(ID)

    assert title.card.description == shown


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ({"id": 2, "label": "Attribution - Share Alike"}, "CC BY-SA"),
        ({"id": 7}, "Public domain"),
        ({"id": None, "label": "Unknown"}, None),
        ({"id": 99, "label": "House rules"}, "House rules"),
        (None, None),
    ],
)
def test_licences_have_short_names(site: FakePeerTube, source: PeerTube, licence: object, name: str | None) -> None:
    site.videos[INVENTED] = video(licence=licence)

    title = source.title(ID)

    assert title.card.licence == name


def test_live_broadcasts_and_what_is_not_for_all_are_not_found(site: FakePeerTube, source: PeerTube) -> None:
    site.search_reply = {"data": [video(isLive=True), video(nsfw=True), video(uuid="7"), {"uuid": INVENTED}]}

    hits = source.search("any")

    assert list(hits) == []


def test_a_pasted_page_is_its_video_under_its_long_name(site: FakePeerTube, source: PeerTube) -> None:
    site.videos["8dZuEGwMaSn9566bbNHCqK"] = video()

    hits = source.search("https://tube.example/w/8dZuEGwMaSn9566bbNHCqK?start=5")

    assert [(hit.external_id, hit.heights_px) for hit in hits] == [(ID, (720,))]


def test_a_page_of_another_site_is_nothing(site: FakePeerTube, source: PeerTube, outside: Rerouted) -> None:
    site.broken = True

    alike = source.search("https://tube.example/w/8dZuEGwMaSn9566bbNHCqK")
    other = source.search("https://elsewhere.example/films/1")

    assert (list(alike), list(other)) == ([], [])
    assert len(outside.asked) == 1


@pytest.mark.parametrize("broken", [[], {"data": "x"}, None])
def test_a_search_reply_of_another_shape_is_an_upstream_failure(
    site: FakePeerTube, source: PeerTube, broken: object
) -> None:
    site.search_reply = broken

    with pytest.raises(UpstreamFailed):
        source.search("any")


@pytest.mark.parametrize(
    "external_id", ["peertube:x", "peertube:a%2Fb", f"peertube:a%20b%2F{INVENTED}", "peertube:%2F"]
)
def test_an_id_that_is_none_is_not_asked_for(source: PeerTube, outside: Rerouted, external_id: str) -> None:
    with pytest.raises(KinodomError) as caught:
        source.title(external_id)

    assert caught.value.code == "no_such_title"
    assert outside.asked == []


@pytest.mark.parametrize("batch", range(10))
def test_mutated_answers_give_sendable_ones_or_known_errors(batch: int) -> None:
    for seed in range(batch * ROUNDS, (batch + 1) * ROUNDS):
        chance = random.Random(seed)
        found = PeerTube(["https://tube.example"], None, Told(mutated(sample("search_videos.json"), chance)))
        opened = PeerTube(["https://tube.example"], None, Told(mutated(sample("video_web_and_hls.json"), chance)))

        try:
            hits = tuple(found.search("any"))
        except UpstreamFailed:
            hits = ()
        try:
            sendable = [opened.title(RECORDED_ID), *opened.offers(RECORDED_ID, None, None, "original")]
        except (UpstreamFailed, NotFound, Forbidden):
            sendable = []

        SearchReply(query="any", hits=hits).model_dump_json()
        assert all(one.model_dump_json() for one in sendable)


def test_one_bad_video_costs_only_itself() -> None:
    rows = [video(), video(url="http://[", account={"host": "//"}), video(name=None), 7]
    source = PeerTube(["https://tube.example"], None, Told({"data": rows}))

    hits = source.search("any")

    assert [hit.external_id for hit in hits] == [ID]
