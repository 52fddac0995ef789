from __future__ import annotations

import pytest

from kinodom_downloader.domain.faults import DrmProtected, LivePlaylist, PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.mpd import duration_s, parse_mpd
from kinodom_downloader.domain.plan import Plan, TrackPlan

BASE = "https://cdn.example/film/manifest.mpd"


def mpd(inner: str, attributes: str = 'mediaPresentationDuration="PT10S"') -> str:
    return f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" {attributes}>{inner}</MPD>'


def video(inner: str, attributes: str = 'id="v" height="720"') -> str:
    return (
        f'<Period><AdaptationSet mimeType="video/mp4"><Representation {attributes}>{inner}</Representation>'
        "</AdaptationSet></Period>"
    )


def urls(plan: Plan, track: int = 0) -> list[str]:
    return [segment.url.removeprefix("https://cdn.example/film/") for segment in plan.tracks[track].segments]


def test_a_template_with_a_length_is_counted_out() -> None:
    template = (
        '<SegmentTemplate initialization="$RepresentationID$/i.mp4" media="$RepresentationID$/$Number%04d$.m4s" '
        'timescale="1000" duration="4000" startNumber="5"/>'
    )

    plan = parse_mpd(mpd(video(template)), BASE, None)

    assert urls(plan) == ["v/i.mp4", "v/0005.m4s", "v/0006.m4s", "v/0007.m4s"]
    assert [segment.duration_s for segment in plan.tracks[0].segments] == [0.0, 4.0, 4.0, 2.0]
    assert (plan.tracks[0].role, plan.tracks[0].height_px, plan.duration_s) == ("muxed", 720, 10.0)


def test_a_timeline_repeats_and_runs_to_the_end() -> None:
    template = (
        '<SegmentTemplate initialization="i" media="$$$Time$-$Bandwidth$" timescale="10"><SegmentTimeline>'
        '<S t="5" d="20" r="1"/><S d="10"/><S d="25" r="-1"/></SegmentTimeline></SegmentTemplate>'
    )

    plan = parse_mpd(mpd(video(template, 'id="v" bandwidth="7"')), BASE, None)

    assert urls(plan) == ["i", "$5-7", "$25-7", "$45-7", "$55-7", "$80-7"]


def test_a_list_of_ranges_is_read() -> None:
    listing = (
        '<BaseURL>v.mp4</BaseURL><SegmentList timescale="1" duration="5"><Initialization range="0-99"/>'
        '<SegmentURL mediaRange="100-199"/><SegmentURL media="other.mp4"/></SegmentList>'
    )

    plan = parse_mpd(mpd(video(listing)), BASE, None)

    found = [(item.url.rpartition("/")[2], item.offset, item.length) for item in plan.tracks[0].segments]
    assert found == [("v.mp4", 0, 100), ("v.mp4", 100, 100), ("other.mp4", None, None)]


def test_a_single_file_is_one_file() -> None:
    plan = parse_mpd(mpd(f"<BaseURL>deep/</BaseURL>{video('<BaseURL>v.mp4</BaseURL>')}"), BASE, None)

    assert (plan.tracks[0].shape, urls(plan)) == ("file", ["deep/v.mp4"])


TEMPLATE = '<SegmentTemplate initialization="$RepresentationID$-i" media="$RepresentationID$-$Number$" duration="5"/>'
RICH = f"""<Period>
  <AdaptationSet contentType="video">{TEMPLATE}
    <Representation id="v1" height="360" codecs="avc1.4d"/>
    <Representation id="v2" height="720" codecs="avc1.4d" bandwidth="9"/>
    <Representation id="v3" height="720" codecs="hev1" bandwidth="10"/></AdaptationSet>
  <AdaptationSet contentType="video"><EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode"/>
    <Representation id="trick" height="720" codecs="avc1" bandwidth="99"/></AdaptationSet>
  <AdaptationSet mimeType="audio/mp4" lang="ru"><Label>Дубляж</Label>{TEMPLATE}
    <Representation id="a1" bandwidth="1" codecs="mp4a.40.2"/>
    <Representation id="a2" bandwidth="2" codecs="mp4a.40.2"/>
    <Representation id="a3" bandwidth="3" codecs="ec-3"/></AdaptationSet>
  <AdaptationSet mimeType="text/vtt" lang="en">
    <Representation id="s"><BaseURL>s.vtt</BaseURL></Representation></AdaptationSet>
  <AdaptationSet mimeType="image/jpeg"><Representation id="tiles"/></AdaptationSet></Period>"""


def test_the_height_languages_and_subtitles_are_chosen() -> None:
    plan = parse_mpd(mpd(RICH), BASE, 800)

    assert [(track.role, track.language, track.name) for track in plan.tracks] == [
        ("video", None, None), ("audio", "ru", "Дубляж"), ("subtitles", "en", None),
    ]  # fmt: skip
    assert [urls(plan, number) for number in range(3)] == [
        ["v2-i", "v2-1", "v2-2"], ["a2-i", "a2-1", "a2-2"], ["s.vtt"],
    ]  # fmt: skip


def test_periods_follow_each_other_with_a_break() -> None:
    period = (
        f'<Period duration="PT5S"><AdaptationSet contentType="video">{TEMPLATE}'
        '<Representation id="{}"/></AdaptationSet></Period>'
    )

    plan = parse_mpd(mpd(period.format("a") + period.format("b")), BASE, None)

    assert urls(plan) == ["a-i", "a-1", "b-i", "b-1"]
    assert [segment.breaks for segment in plan.tracks[0].segments] == [False, False, True, False]
    assert plan.duration_s == 10.0


LOCK = '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>'


def a_set(kind: str, name: str, inner: str = "", attributes: str = "", height: str = "") -> str:
    return (
        f'<AdaptationSet contentType="{kind}" {attributes}>{inner}{TEMPLATE}'
        f'<Representation id="{name}" {height}/></AdaptationSet>'
    )


def periods(*inner: str, length_s: int = 5) -> str:
    return mpd("".join(f'<Period duration="PT{length_s}S">{each}</Period>' for each in inner))


def test_what_is_locked_is_left_out_while_the_film_can_be_had_without_it() -> None:
    plan = parse_mpd(
        mpd(
            "<Period>"
            + a_set("video", "locked", LOCK, height='height="1080"')
            + a_set("video", "clear", height='height="720"')
            + a_set("audio", "locked-sound", LOCK, 'lang="en"')
            + a_set("audio", "sound", "", 'lang="ru"')
            + "</Period>"
        ),
        BASE,
        None,
    )

    assert [(track.role, urls(plan, at)[0]) for at, track in enumerate(plan.tracks)] == [
        ("video", "clear-i"), ("audio", "sound-i"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sets",
    [
        a_set("video", "v", LOCK) + a_set("audio", "a"),
        a_set("video", "v") + a_set("audio", "a", LOCK) + a_set("audio", "b", LOCK),
    ],
)
def test_without_a_picture_or_a_sound_in_the_clear_the_film_is_locked(sets: str) -> None:
    with pytest.raises(DrmProtected):
        parse_mpd(periods(sets), BASE, None)


def test_the_picture_is_one_track_whether_its_periods_have_a_sound_or_not() -> None:
    plan = parse_mpd(periods(a_set("video", "a"), a_set("video", "b") + a_set("audio", "s")), BASE, None)

    assert [(track.role, urls(plan, at)) for at, track in enumerate(plan.tracks)] == [
        ("video", ["a-i", "a-1", "b-i", "b-1"]), ("audio", ["s-i", "s-1"]),
    ]  # fmt: skip
    assert plan.tracks[1].silences == ((0, 5.0),)
    assert Plan.from_json(plan.as_json()) == plan


def test_a_sound_goes_on_with_what_is_most_like_it() -> None:
    film = a_set("video", "v") + a_set("audio", "ru", "", 'lang="rus"') + a_set("audio", "en", "", 'lang="eng"')
    spot = a_set("video", "w") + a_set("audio", "US", "", 'lang="en-US"') + a_set("audio", "de", "", 'lang="de"')
    end = a_set("video", "x") + a_set("audio", "any")

    plan = parse_mpd(periods(film, spot, end), BASE, None)

    assert [urls(plan, at)[::2] for at in (1, 2)] == [["ru-i", "US-i", "any-i"], ["en-i", "US-i", "any-i"]]
    assert [track.language for track in plan.tracks] == [None, "rus", "eng"]


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ((a_set("video", "v"), a_set("audio", "a")), "Period 2 of 2 .* no video"),
        ((a_set("video", "v") + a_set("audio", "a"), a_set("video", "w", "", 'codecs="avc1.4d,mp4a.40.2"')), "within"),
    ],
)
def test_periods_that_do_not_go_together_are_refused(sets: tuple[str, ...], words: str) -> None:
    with pytest.raises(PlaylistRefused, match=words):
        parse_mpd(periods(*sets), BASE, None)


def test_a_manifest_of_very_many_single_files_is_refused_before_one_is_asked_for() -> None:
    one = '<AdaptationSet contentType="video"><Representation><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet>'
    asked: list[TrackPlan] = []

    def cut(track: TrackPlan) -> TrackPlan:
        asked.append(track)
        return track

    with pytest.raises(PlaylistRefused, match="single files"):
        parse_mpd(periods(*[one] * 201), BASE, None, cut=cut)

    assert asked == []


def test_an_empty_period_at_the_end_is_nothing() -> None:
    plan = parse_mpd(mpd(f'<Period duration="PT5S">{a_set("video", "v")}</Period><Period/>', ""), BASE, None)

    assert urls(plan) == ["v-i", "v-1"]


@pytest.mark.parametrize(
    "attributes",
    ['mimeType="text/vtt"', 'mimeType="application/ttml+xml"', 'mimeType="application/mp4" codecs="stpp.ttml.im1t"',
     'mimeType="application/mp4" codecs="wvtt"'],
)  # fmt: skip
def test_subtitles_of_every_kind_are_tracks(attributes: str) -> None:
    text = a_set("text", "s", "", attributes)

    plan = parse_mpd(periods(a_set("video", "v") + text, a_set("video", "w") + text), BASE, None)

    (track,) = plan.tracks[1:]
    assert track.role == "subtitles"
    assert [piece.shift_s for piece in track.segments] == [0.0, 0.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (mpd("", 'type2="x"').replace('type="static"', 'type="dynamic"'), LivePlaylist),
        (mpd(video('<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>')), DrmProtected),
        (mpd(""), PlaylistBad),
        (mpd("<Period/>"), PlaylistBad),
        ("<MPD", PlaylistBad),
        ("<rss><MPD/></rss>", PlaylistBad),
        (mpd(video('<SegmentTemplate duration="1"/>')), PlaylistBad),
        (mpd(video('<SegmentTemplate media="$Number$"/>')), PlaylistBad),
        (mpd(video('<SegmentTemplate media="$Number$" duration="1"/>'), ""), PlaylistBad),
        (mpd(video('<SegmentTemplate media="$Number$" timescale="1000000" duration="1"/>')), PlaylistRefused),
        (mpd(video('<SegmentTemplate media="x"><SegmentTimeline><S d="1" r="999999999999"/></SegmentTimeline>'
                   '</SegmentTemplate>')), PlaylistRefused),
        (mpd(video('<SegmentTemplate media="x"><SegmentTimeline><S d="0"/></SegmentTimeline></SegmentTemplate>')),
         PlaylistBad),
        (mpd(video("<BaseURL>file:///etc/passwd</BaseURL>")), PlaylistRefused),
        (mpd(video('<SegmentList duration="1"><SegmentURL mediaRange="9-1"/></SegmentList>')), PlaylistBad),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + mpd(video("")), PlaylistRefused),
        ("<MPD>" + "<a>" * 200_000, PlaylistBad),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_is_refused_in_words(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_mpd(text, BASE, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("PT1H2M3.5S", 3723.5), ("P1DT1S", 86401.0), ("PT0S", 0.0), ("P1M", None), ("x", None), (None, None), ("PT", 0.0)],
)
def test_durations_are_read(text: str | None, expected: float | None) -> None:
    assert duration_s(text) == expected
