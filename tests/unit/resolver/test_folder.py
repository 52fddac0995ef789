from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.folder import Folder
from kinodom_resolver.sources.folder_names import height_of, read_name
from kinodom_resolver.sources.nfo import Note, read_note

pytestmark = pytest.mark.slow

MOVIE = """<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<movie>
  <title>Der Leuchtturm</title><originaltitle>The Tin Light</originaltitle><year>1928</year>
  <plot>A lamp &amp; a keeper.</plot><runtime>61</runtime><genre>Drama</genre><genre>Sea</genre>
  <uniqueid type="tmdb">7</uniqueid><uniqueid type="imdb" default="true">tt0123456</uniqueid>
  <thumb aspect="poster">https://pictures.example/p.jpg</thumb>
  <fileinfo><streamdetails><video><height>800</height><durationinseconds>3700</durationinseconds></video></streamdetails></fileinfo>
</movie>
https://www.imdb.com/title/tt0123456/
"""
EPISODE = "<episodedetails><title>{}</title><season>{}</season><episode>{}</episode></episodedetails>"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "films"


@pytest.fixture
def source(root: Path) -> Folder:
    root.mkdir()
    return Folder(str(root))


def put(root: Path, path: str, content: str | bytes = b"x") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def found(source: Folder, query: str) -> list[str]:
    return [hit.external_id for hit in source.search(query)]


def urls(source: Folder, external_id: str, season: int | None = None, episode: int | None = None) -> list[str]:
    return [offer.url for offer in source.offers(external_id, season, episode, "original")]


def test_a_film_is_found_by_the_words_of_its_name(root: Path, source: Folder) -> None:
    put(root, "Tin Light (1928)/Tin.Light.1928.1080p.BluRay.x264-GRP.mkv", b"x" * 100)

    hit = source.search("light TIN")[0]
    title = source.title(hit.external_id)
    offer = source.offers(hit.external_id, None, None, "original")[0]

    assert (hit.external_id, hit.name, hit.year, hit.kind) == (
        "folder:film%2Ftin%20light%2F1928",
        "Tin Light",
        1928,
        "film",
    )
    assert title.translations[0].heights_px == (1080,)
    assert [(one.season, one.episode) for one in title.translations[0].episodes] == [(None, None)]
    assert (offer.delivery, offer.height_px, offer.size_bytes) == ("file", 1080, 100)
    assert offer.url == "file-import:Tin%20Light%20%281928%29/Tin.Light.1928.1080p.BluRay.x264-GRP.mkv"


def test_two_files_of_one_film_are_two_offers_the_highest_first(root: Path, source: Folder) -> None:
    put(root, "Tin Light 1928 480p.mp4")
    put(root, "new/Tin.Light.1928.2160p.mkv")

    hits = found(source, "tin light")

    assert urls(source, hits[0]) == [
        "file-import:new/Tin.Light.1928.2160p.mkv",
        "file-import:Tin%20Light%201928%20480p.mp4",
    ]
    assert len(hits) == 1


def test_seasons_and_episodes_are_read_from_names_and_folders(root: Path, source: Folder) -> None:
    for path in ("Season 01/The Lamp S01E02.mkv", "Season 01/The.Lamp.S01E01.Pilot.mkv", "Season 2/03 - Fog.mkv",
                 "Specials/The Lamp S00E01.mkv", "Season 01/The.Lamp.S01E03E04.mkv"):  # fmt: skip
        put(root, f"The Lamp/{path}")

    hits = found(source, "lamp")
    episodes = source.title(hits[0]).translations[0].episodes

    assert hits == ["folder:series%2Fthe%20lamp"]
    assert [(one.season, one.episode) for one in episodes] == [(0, 1), (1, 1), (1, 2), (1, 3), (1, 4), (2, 3)]
    assert episodes[1].name == "Pilot"
    assert urls(source, hits[0], 1, 4) == ["file-import:The%20Lamp/Season%2001/The.Lamp.S01E03E04.mkv"]
    assert urls(source, hits[0], 1, 9) == []


@pytest.mark.parametrize(
    ("path", "key", "season", "episodes"),
    [
        ("[Fansub] Naruto - 05 [1080p].mkv", "series/naruto", 1, (5,)),
        ("Сериал/Сериал 1 сезон 2 серия.mkv", "series/сериал", 1, (2,)),
        ("The Tide.1x02.mkv", "series/the tide", 1, (2,)),
        ("News/2024-03-15 - Evening.mp4", "series/news", 2024, (315,)),
        ("1917.2019.mkv", "film/1917/2019", None, ()),
        ("Deep (2010) Part 1.mkv", "film/deep/2010/part 1", None, ()),
        ("Deep.2010.CD2.mkv", "series/deep", 1, (2,)),
        ("holiday.mp4", "film/holiday", None, ()),
        ("Жестяной маяк (2020)/Жестяной маяк.mkv", "film/жестяной маяк/2020", None, ()),
    ],
)
def test_names_are_taken_apart(path: str, key: str, season: int | None, episodes: tuple[int, ...]) -> None:
    named = read_name(path, None)

    assert (named.key, named.season, named.episodes) == (key, season, episodes)


def test_an_nfo_file_names_a_film(root: Path, source: Folder) -> None:
    put(root, "Tin Light (1928)/tl.mkv")
    put(root, "Tin Light (1928)/movie.nfo", MOVIE)

    by_note = source.search("leuchtturm")[0]
    title = source.title(by_note.external_id)

    assert (by_note.name, by_note.original_name, by_note.year, by_note.imdb_id) == (
        "Der Leuchtturm", "The Tin Light", 1928, "tt0123456",
    )  # fmt: skip
    assert (by_note.description, by_note.genres) == ("A lamp & a keeper.", ("Drama", "Sea"))
    assert by_note.poster_url == "https://pictures.example/p.jpg"
    assert by_note.heights_px == (800,)
    assert title.translations[0].episodes[0].duration_s == 3700


def test_an_nfo_file_that_changes_is_read_again(root: Path, source: Folder) -> None:
    put(root, "tl.mkv")
    put(root, "tl.nfo", "<movie><title>Old lamp</title></movie>")
    before = found(source, "lamp")
    put(root, "tl.nfo", "<movie><title>New torch</title></movie>")
    os.utime(root / "tl.nfo", (1, 1))

    after = found(source, "torch")

    assert before == after
    assert found(source, "lamp") == []


def test_nfo_files_name_a_show_and_number_its_episodes(root: Path, source: Folder) -> None:
    put(root, "Lamp/tvshow.nfo", "<tvshow><title>The Lamp</title><plot>Sea.</plot></tvshow>")
    put(root, "Lamp/disc/a.mkv")
    put(root, "Lamp/disc/a.nfo", EPISODE.format("Fog", 2, 7) + EPISODE.format("More", 2, 8))
    put(root, "Lamp/Lamp S01E01.mkv")

    hits = source.search("lamp")
    episodes = source.title(hits[0].external_id).translations[0].episodes

    assert [(hit.name, hit.kind, hit.description) for hit in hits] == [("The Lamp", "series", "Sea.")]
    assert [(one.season, one.episode, one.name) for one in episodes] == [(1, 1, None), (2, 7, "Fog")]
    assert urls(source, hits[0].external_id, 2, 7) == ["file-import:Lamp/disc/a.mkv"]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"https://www.imdb.com/title/tt7654321/", Note(imdb_id="tt7654321")),
        (b"<movie><title>&bomb;</title></movie>", Note()),
        (b'<!DOCTYPE m [<!ENTITY b SYSTEM "file:///etc/hostname">]><movie><title>&b;</title></movie>', Note()),
        (b"<movie><title>cut", Note()),
        (b"\xff\xfe\x00", Note()),
        (b"<movie><runtime>90 min</runtime><year>x</year></movie>", Note(kind="movie", duration_s=5400)),
    ],
)
def test_an_nfo_file_that_cannot_be_read_says_nothing(body: bytes, note: Note) -> None:
    read = read_note(body)

    assert read == note


def test_subtitles_beside_a_video_and_in_a_folder_of_theirs_are_offered(root: Path, source: Folder) -> None:
    for name in ("Tin.mkv", "Tin.srt", "Tin.en.srt", "Tin.pt-br.forced.vtt", "Tin.ass", "Tin 2.srt", "Subs/de.srt"):
        put(root, f"Tin/{name}")

    subtitles = source.offers(found(source, "tin")[0], None, None, "original")[0].subtitles

    assert [(one.url.removeprefix("file-import:Tin/"), one.language, one.name) for one in subtitles] == [
        ("Subs/de.srt", "de", None),
        ("Tin.en.srt", "en", None),
        ("Tin.pt-br.forced.vtt", "pt-br", "forced"),
        ("Tin.srt", None, None),
    ]


def test_subtitles_go_to_the_longest_name_they_begin_with(root: Path, source: Folder) -> None:
    for name in ("Lamp S01E01.mkv", "Lamp S01E01.en.srt", "Lamp S01E10.mkv", "Lamp S01E10.en.srt"):
        put(root, name)

    subtitles = source.offers("folder:series%2Flamp", 1, 1, "original")[0].subtitles

    assert [one.url for one in subtitles] == ["file-import:Lamp%20S01E01.en.srt"]


def test_samples_trailers_hidden_and_empty_files_are_left_out(root: Path, source: Folder) -> None:
    for path in (
        "Tin-sample.mkv",
        "Tin-trailer.mp4",
        "Sample/Tin.mkv",
        ".hidden/Tin.mkv",
        ".Tin.mkv",
        "Tin.avi",
        "Tin.txt",
    ):
        put(root, path)
    put(root, "Tin.mkv", b"")

    hits = found(source, "tin")

    assert hits == []


def test_links_are_not_followed(root: Path, source: Folder, tmp_path: Path) -> None:
    put(tmp_path, "outside/Tin.mkv")
    (root / "Tin.mkv").symlink_to(tmp_path / "outside/Tin.mkv")
    (root / "Tins").symlink_to(tmp_path / "outside")
    put(root, "Lamp.mkv")
    (root / "Lamp.nfo").symlink_to(tmp_path / "outside/Tin.mkv")

    hits = found(source, "tin")

    assert hits == []
    assert len(found(source, "lamp")) == 1


def test_a_name_that_is_no_utf_8_goes_there_and_back(root: Path, source: Folder) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/Tin \xe9t\xe9.mkv")).write_bytes(b"x")

    hit = source.search("tin")[0]
    offers = source.offers(hit.external_id, None, None, "original")

    SearchReply(query="tin", hits=(hit,)).model_dump_json()
    assert [one.url for one in offers] == ["file-import:Tin%20%E9t%E9.mkv"]


def test_a_folder_that_is_away_is_an_upstream_failure(source: Folder, root: Path) -> None:
    root.rmdir()

    with pytest.raises(UpstreamFailed) as caught:
        source.search("tin")

    assert caught.value.code == "import_folder_unreadable"


@pytest.mark.parametrize(
    "external_id", ["folder:film%2Fgone", "folder:..%2F..%2Fetc", "folder:", "folder:%00", "folder:-"]
)
def test_an_id_of_nothing_in_the_folder_is_not_found(root: Path, source: Folder, external_id: str) -> None:
    put(root, "Tin.mkv")

    with pytest.raises(NotFound) as caught:
        source.title(external_id)

    assert caught.value.code == "no_such_title"


def test_it_is_off_without_a_folder() -> None:
    source = Folder.build({}, None)  # type: ignore[arg-type]

    assert source is None


PIECES = (
    "Tin", "S01E02", "s1", "(1999)", "1080p", "2024-03-15", "CD1", "part 2", "[x]", "{y}", "..", "-", "_", "ё", "%2F",
    "?", "#", "&", "tt1234567", "9" * 30, "x" * 60, "<", '"', "E", "Season 1", "01", "٣", "\u202e", "\U0001f600",
)  # fmt: skip


@pytest.mark.parametrize("batch", range(5))
def test_odd_names_and_notes_give_sendable_answers(root: Path, source: Folder, batch: int) -> None:
    chance = random.Random(batch)
    for _ in range(100):
        folder = chance.choice(("", "Show/", "Season 1/", "Film (1999)/", "٣/"))
        stem = folder + chance.choice((" ", ".", "")).join(chance.choices(PIECES, k=chance.randint(1, 5)))[:90]
        stem = stem.replace("..", ".") + "q"
        put(root, f"{stem}.mkv")
        put(root, f"{stem}.nfo", mutated(MOVIE if chance.random() < 0.5 else EPISODE.format("x", 1, 2), chance))

    hits = [hit for word in ("q", "tin", "show") for hit in source.search(word)]
    titles = [title for hit in hits if (title := opened(source, hit.external_id)) is not None]
    offers = [
        offer
        for title in titles
        for one in title.translations[0].episodes
        for offer in source.offers(title.card.external_id, one.season, one.episode, "original")
    ]

    SearchReply(query="q", hits=tuple(hits)).model_dump_json()
    assert all(one.model_dump_json() for one in [*titles, *offers])
    assert offers


def opened(source: Folder, external_id: str):  # type: ignore[no-untyped-def]
    try:
        return source.title(external_id)
    except NotFound:
        return None


@pytest.mark.parametrize("batch", range(4))
def test_mutated_notes_are_read_or_say_nothing(batch: int) -> None:
    for seed in range(batch * 500, (batch + 1) * 500):
        note = read_note(mutated(MOVIE, random.Random(seed)))

        assert note.title is None or len(note.title) <= 300


def mutated(text: str, chance: random.Random) -> bytes:
    body = bytearray(text.encode())
    for _ in range(chance.randint(0, 6)):
        at = chance.randrange(len(body))
        body[at : at + chance.randint(0, 12)] = chance.choice(
            (b"", b"<", b"&", b"\xff", b"9" * 500, b"-1", b"\x00", b"&#0;")
        )
    return bytes(body)


def test_all_episodes_of_a_season_are_read_by_one_name_in_a_search(root: Path, source: Folder) -> None:
    for number in range(1, 200):
        put(root, f"Tide/Season 1/Tide.S01E{number:03}.Name {number}.720p.mkv")
    read_name.cache_clear()

    hit = source.search("tide")[0]

    assert (hit.name, hit.heights_px) == ("Tide", (720,))
    assert read_name.cache_info().misses == 1


@pytest.mark.parametrize(
    ("path", "height_px"),
    [
        ("a/Tin 1080p x.mkv", 1080),
        ("Tin.4K.HDR.mkv", 2160),
        ("1080p/Tin.mkv", None),
        ("Tin 720.mkv", None),
        ("Tin 576i.ts", 576),
    ],
)
def test_heights_are_read_from_names(path: str, height_px: int | None) -> None:
    height = height_of(path)

    assert height == height_px
