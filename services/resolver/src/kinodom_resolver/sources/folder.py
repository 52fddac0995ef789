"""Films and series that the household already has as files, in one folder that the operator names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.errors import NotFound
from kinodom_resolver.adapters.parsing import PARSER, PageTooHard
from kinodom_resolver.sources import folder_files
from kinodom_resolver.sources.folder_names import Named, height_of, read_name, title_path
from kinodom_resolver.sources.nfo import Note, read_note
from kinodom_resolver.sources.reading import language_of, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_resolver.domain.ports import Outside, QueryKind
    from kinodom_resolver.sources.folder_files import Video

ORIGINAL: Final = "original"
LANGUAGE: Final = re.compile(r"[._-]([a-z]{2,3}(?:-[a-z0-9]{2,8})?)(?:[._-](forced|sdh|cc|hi|full))?$", re.IGNORECASE)
Place = tuple[int | None, int | None]


class NoSuchFile(NotFound):
    """The import folder no longer has this film."""

    code = "no_such_title"


class Folder:
    """Files of the household; ids are `folder:<kind/words of the title/year, escaped>`."""

    name = "folder"
    label = "Import folder"
    schemes = frozenset({"folder"})
    weight = 90
    needs = "Set KINODOM_IMPORT_ROOT to the whole path of a folder with films you have as files."
    reads: frozenset[QueryKind] = frozenset({"words"})

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") or "/"

    @classmethod
    def build(cls, options: Mapping[str, str], _outside: Outside) -> Self | None:
        """Return the source when `import_root` is set."""
        return cls(options["import_root"]) if options.get("import_root") else None

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the titles whose path, or title in an NFO file, holds all the words."""
        words = words_of(query)
        if not words:
            return []
        groups: dict[str, list[Video]] = {}
        for video in folder_files.videos_in(self._root):
            text = self._text(video)
            if all(word in text for word in words):
                groups.setdefault(_named(video).key, []).append(video)
        hits = (self._hit(key, videos) for key, videos in groups.items())
        return [hit for hit in hits if hit is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return a film, or a series with its episodes."""
        key, videos = self._videos(external_id)
        card = self._card(key, videos)
        if card is None:
            raise NoSuchFile("The names of these files make no title. Give them clearer names.")
        places = self._places(videos)
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            heights_px=self._heights(videos),
            episodes=tuple(self._episode(place, places[place]) for place in sorted(places, key=_order)),
        )
        return SourceTitle(source=self.name, card=card, translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files of a film or an episode, the highest first."""
        if translation_id != ORIGINAL:
            return []
        videos = self._places(self._videos(external_id)[1]).get((season, episode), [])
        offers = []
        for video in sorted(videos, key=lambda one: (-(self._height(one) or 0), -one.size_bytes)):
            try:
                offer = Offer(
                    source=self.name,
                    url=folder_files.address(video.path),
                    delivery="file",
                    height_px=self._height(video),
                    size_bytes=video.size_bytes,
                    duration_s=self._note(video, "movie", "episodedetails").duration_s,
                    subtitles=_subtitles(video),
                )
            except ValidationError:  # a path that makes the address too long
                continue
            offers.append(offer)
        return offers

    def _videos(self, external_id: str) -> tuple[str, list[Video]]:
        key = unquote(external_id.partition(":")[2])
        words = words_of(key.partition("/")[2].partition("/")[0])
        # Only names that hold the words are taken apart, which is slow.
        near = (one for one in folder_files.videos_in(self._root) if all(word in _path_text(one) for word in words))
        videos = [one for one in near if _named(one).key == key]
        if not videos:
            raise NoSuchFile("The import folder no longer has this. It may have been renamed, moved or deleted.")
        return key, videos

    def _places(self, videos: Sequence[Video]) -> dict[Place, list[Video]]:
        places: dict[Place, list[Video]] = {}
        for video in videos:
            named = _numbered(video)
            note = self._note(video, "episodedetails")
            season = note.season if note.season is not None else named.season
            if named.kind == "film":
                numbered: list[Place] = [(None, None)]
            elif note.episode is not None and len(named.episodes) < 2:
                numbered = [(season, note.episode)]
            else:
                numbered = [(season, number) for number in named.episodes]
            for place in numbered:
                places.setdefault(place, []).append(video)
        return places

    def _hit(self, key: str, videos: Sequence[Video]) -> TitleHit | None:
        card = self._card(key, videos)
        heights = self._heights(videos)
        return TitleHit(**card.model_dump(), source=self.name, heights_px=heights) if card is not None else None

    def _card(self, key: str, videos: Sequence[Video]) -> TitleCard | None:
        named = _named(videos[0])
        notes = (self._note(one, "movie" if named.kind == "film" else "tvshow") for one in videos)
        note = next((one for one in notes if one.title or one.imdb_id), Note())
        try:
            return TitleCard(
                external_id=f"folder:{quote(key, safe='')}",
                name=note.title or (f"{named.title}, part {named.part}" if named.part else named.title),
                original_name=note.original_title if note.original_title != note.title else None,
                year=note.year or named.year,
                kind=named.kind,
                description=note.plot,
                poster_url=note.picture_url,
                genres=note.genres,
                imdb_id=note.imdb_id or named.imdb_id,
            )
        except ValidationError:
            return None

    def _episode(self, place: Place, videos: Sequence[Video]) -> EpisodeRef:
        video = videos[0]
        note = self._note(video, "movie", "episodedetails")
        named = None if place == (None, None) else note.title or _numbered(video).episode_name
        return EpisodeRef(season=place[0], episode=place[1], name=named, duration_s=note.duration_s)

    def _heights(self, videos: Sequence[Video]) -> tuple[int, ...]:
        return tuple(sorted({height for one in videos if (height := self._height(one)) is not None}, reverse=True))

    def _height(self, video: Video) -> int | None:
        return self._note(video, "movie", "episodedetails").height_px or height_of(folder_files.shown(video.path))

    def _note(self, video: Video, *kinds: str) -> Note:
        """Return the nearest NFO file of one of these kinds; of a film also one that has only an IMDb number."""
        for path, changed_s in video.notes:
            note = _read(self._root, path, changed_s)
            if note.kind in kinds or (note.kind is None and note.imdb_id and "movie" in kinds):
                return note
        return Note()

    def _text(self, video: Video) -> str:
        notes = (_read(self._root, path, changed_s) for path, changed_s in video.notes)
        titles = (f"{note.title or ''} {note.original_title or ''}".casefold() for note in notes)
        return " ".join((_path_text(video), *titles))


@lru_cache(maxsize=4_000)
def _read(root: str, path: str, _changed_s: float) -> Note:
    """Return an NFO file; it is read again when its time changes. One that is too hard to read says nothing."""
    try:
        return PARSER.run(read_note, folder_files.read_small(root, path))
    except PageTooHard:
        return Note()


def _named(video: Video) -> Named:
    """Return what the name tells of the title; its numbers are those of another episode."""
    return read_name(title_path(folder_files.shown(video.path)), _show(video))


def _numbered(video: Video) -> Named:
    """Return what the name tells of the episode."""
    return read_name(folder_files.shown(video.path), _show(video))


def _show(video: Video) -> str | None:
    return folder_files.shown(video.show_folder) if video.show_folder is not None else None


def _path_text(video: Video) -> str:
    return folder_files.shown(video.path).casefold()


def _order(place: Place) -> tuple[int, int]:
    return (-1 if place[0] is None else place[0], -1 if place[1] is None else place[1])


def _subtitles(video: Video) -> tuple[SubtitleOffer, ...]:
    found = []
    for path in video.subtitles:
        stem = folder_files.shown(path).rpartition("/")[2].rpartition(".")[0]
        rest = stem.removeprefix(folder_files.shown(video.stem))
        match = LANGUAGE.search(rest if rest.startswith((".", "_", "-")) or not rest else f".{rest}")
        language = language_of(match[1].lower()) if match else None
        mark = match[2].lower() if match and match[2] else None
        found.append(SubtitleOffer(url=folder_files.address(path), language=language, name=mark))
    return tuple(found)
