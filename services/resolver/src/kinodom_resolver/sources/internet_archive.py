"""The Internet Archive (archive.org): films in the public domain or under free licences, and much else.

Search is `advancedsearch.php`, an item is `/metadata/<identifier>`, a file is `/download/<identifier>/<name>`, which
redirects to a storage node of the day; node addresses are never built here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideNotFound
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.sources import archive_files
from kinodom_resolver.sources.reading import mapping_of, mappings_of, text_of, texts_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_resolver.domain.ports import Outside, QueryKind
    from kinodom_resolver.sources.archive_files import Video

ROWS: Final = 40
FIELDS: Final = ("identifier", "title", "year", "date", "description", "licenseurl", "mediatype", "creator", "subject")
ORIGINAL: Final = "original"
LUCENE: Final = re.compile(r'([+\-!(){}\[\]^"~*?:\\/&|])')
OPERATORS: Final = frozenset({"AND", "OR", "NOT", "TO"})
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
LANGUAGES: Final = {"english": "en", "eng": "en", "russian": "ru", "rus": "ru", "french": "fr", "german": "de"}
CREATIVE_COMMONS: Final = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)?")


class ArchiveGarbled(UpstreamFailed):
    """The Internet Archive's answer has a shape it never had."""

    code = "archive_garbled"


class NoSuchItem(NotFound):
    """The Internet Archive has no video under this id: unknown, taken down, or a collection."""

    code = "no_such_title"


class InternetArchive:
    """Items of the media type `movies`; ids are `ia:<identifier>`."""

    name = "internet_archive"
    label = "Internet Archive"
    schemes = frozenset({"ia"})
    weight = 40
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(self, base_url: str, outside: Outside) -> None:
        self._base = base_url.rstrip("/")
        self._outside = outside

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self:
        """Return the source; `archive_url` names the site."""
        return cls(options["archive_url"], outside)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return items whose titles hold all the words, the most fetched first; or the item of a pasted page."""
        if "://" in query:
            return self._search_address(query)
        words = lucene_words(query)
        if not words:
            return []
        fields = [("fl[]", field) for field in FIELDS]
        asked = [("q", f"title:({words}) AND mediatype:movies"), *fields, ("sort[]", "downloads desc")]
        asked += [("rows", str(ROWS)), ("page", "1"), ("output", "json")]
        try:
            reply = self._outside.get_json(f"{self._base}/advancedsearch.php?{urlencode(asked)}")
        except OutsideNotFound as exc:
            raise ArchiveGarbled("There is no search of the Internet Archive at its address any more.") from exc
        docs = mapping_of(mapping_of(reply).get("response")).get("docs")
        if not isinstance(docs, list):
            raise ArchiveGarbled("The Internet Archive sent no list of films. It may be overloaded; try again later.")
        return [hit for doc in mappings_of(docs) if (hit := self._hit(doc)) is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return an item: a film, or a series when it holds several videos."""
        item = self._item(external_id)
        videos = archive_files.videos_of(item)
        card = self._card(mapping_of(item.get("metadata")), _identifier_in(external_id))
        if not videos or card is None:
            raise NoSuchItem("This item of the Internet Archive holds no video that can be had without a login.")
        heights = sorted({height for video in videos for height in video.heights_px}, reverse=True)
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            language=_language(mapping_of(item.get("metadata")).get("language")),
            heights_px=tuple(heights),
            episodes=tuple(_episode(video) for video in videos),
        )
        kind = "series" if len(videos) > 1 else "film"
        return SourceTitle(source=self.name, card=card.model_copy(update={"kind": kind}), translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files of one video, the best to play first."""
        if translation_id != ORIGINAL:
            return []
        folder = f"{self._base}/download/{quote(_identifier_in(external_id), safe='')}"
        return [
            offer
            for video in archive_files.videos_of(self._item(external_id))
            if (video.season, video.episode) == (season, episode)
            for offer in archive_files.offers_of(video, folder, source=self.name)
        ]

    def _search_address(self, address: str) -> Sequence[TitleHit]:
        try:
            pieces = urlsplit(address).path.split("/")
            ours = urlsplit(address).hostname == urlsplit(self._base).hostname
        except ValueError:
            return []
        if not ours or len(pieces) < 3 or pieces[1] not in ("details", "download", "embed"):
            return []
        found = self.title(f"ia:{quote(unquote(pieces[2]), safe='')}")
        episodes = len(found.translations[0].episodes)
        card = found.card.model_dump()
        return [TitleHit(**card, source=self.name, episodes=episodes if episodes > 1 else None)]

    def _item(self, external_id: str) -> Mapping[str, object]:
        identifier = _identifier_in(external_id)
        item = self._outside.get_json(f"{self._base}/metadata/{quote(identifier, safe='')}")
        if not isinstance(item, dict):
            raise ArchiveGarbled("The Internet Archive sent no item. It may be overloaded; try again later.")
        if not item:  # its way to say that there is no such item: 200 and {}
            raise NoSuchItem("The Internet Archive has no item of this name.")
        if item.get("is_dark"):
            raise NoSuchItem("The Internet Archive has taken this item down.")
        if "metadata" not in item or not isinstance(item.get("files"), list):
            raise ArchiveGarbled("The Internet Archive sent half an item. It may be overloaded; try again later.")
        return item

    def _hit(self, doc: Mapping[str, object]) -> TitleHit | None:
        if (text_of(doc.get("mediatype")) or "movies") != "movies":
            return None
        card = self._card(doc, text_of(doc.get("identifier")) or "")
        return TitleHit(**card.model_dump(), source=self.name) if card is not None else None

    def _card(self, fields: Mapping[str, object], identifier: str) -> TitleCard | None:
        if not IDENTIFIER.fullmatch(identifier):
            return None
        try:
            return TitleCard(
                external_id=f"ia:{identifier}",
                name=_one_line(fields.get("title")) or identifier,
                year=year_of(fields.get("year")) or year_of(fields.get("date")),
                description=plain_text_apart(fields.get("description"), longest=5000),
                poster_url=f"{self._base}/services/img/{identifier}",
                genres=_names(fields.get("subject"), most=8),
                people=_names(fields.get("creator"), most=20),
                licence=licence_name(fields.get("licenseurl")),
            )
        except ValidationError:
            return None


def lucene_words(query: str) -> str:
    """Return what somebody typed as words of a Lucene query, with nothing in them that Lucene would obey."""
    words = (LUCENE.sub(r"\\\1", word) for word in query.split())
    # A word of signs alone finds nothing and makes the whole query find nothing.
    return " ".join(word.lower() if word in OPERATORS else word for word in words if re.search(r"\w", word))


def licence_name(value: object) -> str | None:
    """Return the short name of a licence from its address, or the address when it is not a known one."""
    address = text_of(value, longest=200)
    if address is None or not (match := CREATIVE_COMMONS.search(address.lower())):
        return address
    family, name, version = match.groups()
    if "publicdomain" in (family, name):
        return "CC0 1.0" if name == "zero" else "Public domain"
    return f"CC {name.upper()} {version or ''}".strip()


def _identifier_in(external_id: str) -> str:
    identifier = unquote(external_id.partition(":")[2])
    if not IDENTIFIER.fullmatch(identifier):
        raise NoSuchItem("The Internet Archive has no item of this name.")
    return identifier


def _episode(video: Video) -> EpisodeRef:
    alone = video.episode is None
    name = None if alone else video.name
    return EpisodeRef(season=video.season, episode=video.episode, name=name, duration_s=video.duration_s)


def _language(value: object) -> str | None:
    word = next(iter(texts_of(value)), "").lower()
    return LANGUAGES.get(word, word if re.fullmatch(r"[a-z]{2}", word) else None)


def _names(value: object, *, most: int) -> tuple[str, ...]:
    """Return a list, or a text with semicolons between, as short names."""
    parts = (part.strip() for text in texts_of(value) for part in text.split(";"))
    return tuple(dict.fromkeys(part[:100] for part in parts if part and "<" not in part))[:most]


def _one_line(value: object) -> str:
    return " ".join((plain_text_apart(text_of(value), longest=300) or "").split())
