"""Wikimedia Commons: free media of all kinds; here its videos, with the renditions that it makes of each.

One call of its API gives everything: `prop=videoinfo` of a file, or of the files that a search finds.
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
from kinodom_resolver.sources import wikimedia_files
from kinodom_resolver.sources.reading import (
    address_of,
    float_of,
    mapping_of,
    mappings_of,
    seconds_of,
    text_of,
    words_of,
    year_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_resolver.domain.ports import Outside, QueryKind

ROWS: Final = 30
ROUNDS: Final = 4  # of one answer in parts; the API splits it when it has much to say
PICTURE_PX: Final = 640
ORIGINAL: Final = "original"
WANTED: Final = "timestamp|user|url|size|mime|derivatives|extmetadata|canonicaltitle|timedtext"
FILE_NAME: Final = re.compile(r"[^\x00-\x1f\x7f<>\[\]{}|#/]{1,240}")
ENDING: Final = re.compile(r"\.[A-Za-z0-9]{2,4}$")
PAGE: Final = re.compile(r"/wiki/File:(.+)")


class CommonsGarbled(UpstreamFailed):
    """The answer of Wikimedia Commons is an error of its own, or has a shape it never had."""

    code = "commons_garbled"


class NoSuchFile(NotFound):
    """Wikimedia Commons has no video of this name."""

    code = "no_such_title"


class WikimediaCommons:
    """Video files of Wikimedia Commons; ids are `commons:<file name, escaped>`."""

    name = "wikimedia_commons"
    label = "Wikimedia Commons"
    schemes = frozenset({"commons"})
    weight = 35
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(self, base_url: str, outside: Outside) -> None:
        self._base = base_url.rstrip("/")
        self._outside = outside

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self:
        """Return the source; `commons_url` names the site."""
        return cls(options["commons_url"], outside)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the videos that fit, the best match first; or the video of a pasted page."""
        if "://" in query:
            return self._search_address(query)
        words = words_of(query)
        if not words:
            return []
        asked = {"generator": "search", "gsrnamespace": "6", "gsrsearch": f"filetype:video {' '.join(words)}"}
        pages = self._pages(asked | {"gsrlimit": str(ROWS)})
        ranked = sorted(pages, key=lambda page: rank if (rank := float_of(page.get("index"))) is not None else ROWS)
        return [hit for page in ranked if (hit := self._hit(page)) is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return a video as a film with one version."""
        info = self._video(external_id)
        card = self._card(info, external_id)
        if card is None:
            raise CommonsGarbled("Wikimedia Commons described the video in a way that cannot be read.")
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            heights_px=wikimedia_files.heights_of(info, self._base),
            episodes=(EpisodeRef(duration_s=seconds_of(info.get("duration"))),),
        )
        return SourceTitle(source=self.name, card=card, translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the renditions of a video, the best to play first."""
        if (season, episode, translation_id) != (None, None, ORIGINAL):
            return []
        return wikimedia_files.offers_of(self._video(external_id), self._base, source=self.name)

    def _search_address(self, address: str) -> Sequence[TitleHit]:
        try:
            parts = urlsplit(address)
            page = PAGE.fullmatch(parts.path)
        except ValueError:
            return []
        if page is None or parts.hostname != urlsplit(self._base).hostname:
            return []
        pages = self._pages({"titles": f"File:{_file_name(unquote(page[1]))}"})
        return [hit for page in pages if (hit := self._hit(page)) is not None]

    def _video(self, external_id: str) -> Mapping[str, object]:
        name = _file_name(unquote(external_id.partition(":")[2]))
        for page in self._pages({"titles": f"File:{name}"}):
            info = _info(page)
            if info is not None and wikimedia_files.offers_of(info, self._base, source=self.name):
                return info
        raise NoSuchFile("Wikimedia Commons has no video of this name. It may have been renamed or deleted.")

    def _pages(self, asked: Mapping[str, str]) -> list[Mapping[str, object]]:
        """Return the pages of an answer; one that comes in parts is put together."""
        wanted = {"action": "query", "format": "json", "formatversion": "2", "redirects": "1", "prop": "videoinfo"}
        wanted |= {"viprop": WANTED, "viurlwidth": str(PICTURE_PX), **asked}
        found: dict[str, dict[str, object]] = {}
        more: Mapping[str, object] = {}
        for _ in range(ROUNDS):
            extra = {name: text for name, value in more.items() if (text := text_of(value, longest=1000))}
            reply = self._asked(f"{self._base}/w/api.php?{urlencode(wanted | extra)}")
            if "error" in reply:
                said = text_of(mapping_of(reply.get("error")).get("info"), longest=200)
                raise CommonsGarbled(f"Wikimedia Commons could not answer: {said or 'it does not say why'}.")
            if "query" not in reply and "batchcomplete" not in reply:
                raise CommonsGarbled("Wikimedia Commons sent no list of files. Try again later.")
            for number, page in enumerate(_listed(mapping_of(reply.get("query")).get("pages"))):
                known = found.setdefault(text_of(page.get("pageid"), longest=40) or f"-{number}", {})
                known |= {key: value for key, value in page.items() if value}
            more = mapping_of(reply.get("continue"))
            if "batchcomplete" in reply or not more:  # what would follow are further hits, not the rest of these
                break
        return list(found.values())

    def _asked(self, address: str) -> Mapping[str, object]:
        try:
            return mapping_of(self._outside.get_json(address))
        except OutsideNotFound as exc:
            raise CommonsGarbled("There is no API of Wikimedia Commons at its address any more.") from exc

    def _hit(self, page: Mapping[str, object]) -> TitleHit | None:
        info = _info(page)
        named = text_of(page.get("title"), longest=260) or ""
        name = named.partition(":")[2].replace(" ", "_")
        if info is None or not FILE_NAME.fullmatch(name):
            return None
        heights = wikimedia_files.heights_of(info, self._base)
        if not wikimedia_files.offers_of(info, self._base, source=self.name):
            return None
        card = self._card(info, f"commons:{quote(name, safe='')}")
        return TitleHit(**card.model_dump(), source=self.name, heights_px=heights) if card is not None else None

    def _card(self, info: Mapping[str, object], external_id: str) -> TitleCard | None:
        facts = mapping_of(info.get("extmetadata"))
        file_name = unquote(external_id.partition(":")[2])
        spoken = re.sub(r"[\s_]+", " ", ENDING.sub("", file_name)).strip()
        about = [_fact(facts, "ImageDescription", 4500), _by(facts)]
        try:
            return TitleCard(
                external_id=external_id,
                name=" ".join((_fact(facts, "ObjectName", 300) or spoken).split())[:300],
                year=year_of(_fact(facts, "DateTimeOriginal", 100)),
                kind="film",
                description="\n".join(text for text in about if text) or None,
                poster_url=address_of(f"{self._base}/", info.get("thumburl")),
                licence=next((name for key in LICENCE_FACTS if (name := _fact(facts, key, 200))), None),
            )
        except ValidationError:
            return None


LICENCE_FACTS: Final = ("LicenseShortName", "UsageTerms", "LicenseUrl")


def _fact(facts: Mapping[str, object], name: str, longest: int) -> str | None:
    return plain_text_apart(text_of(mapping_of(facts.get(name)).get("value"), longest=50_000), longest=longest)


def _by(facts: Mapping[str, object]) -> str | None:
    """Return who is to be named, as free licences ask for."""
    named = " ".join((_fact(facts, "Artist", 300) or _fact(facts, "Credit", 300) or "").split())
    return f"By {named}" if named else None


def _info(page: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return what is known of a file; None for a missing page and for what has no moving picture."""
    info = next(iter(mappings_of(page.get("videoinfo"))), None)
    if "missing" in page or info is None:
        return None
    mime = text_of(info.get("mime")) or ""
    moving = mime.startswith("video/") or (mime == "application/ogg" and float_of(info.get("height")))
    return info if moving else None


def _listed(pages: object) -> list[Mapping[str, object]]:
    """Return pages as a list; the older form of the answer has them in an object."""
    return mappings_of(list(pages.values()) if isinstance(pages, dict) else pages)


def _file_name(text: str) -> str:
    name = text.strip().replace(" ", "_")
    if not FILE_NAME.fullmatch(name):
        raise NoSuchFile("This is not the name of a file on Wikimedia Commons.")
    return name
