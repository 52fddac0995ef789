"""NASA's library of images and video (images.nasa.gov): films of flights, launches and telescopes. No key is needed.

Search is `/search?q=…&media_type=video`, the files of a video are `/asset/<nasa_id>`: addresses whose names tell what
they are (`…~large.mp4`, `….srt`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideBadAnswer, OutsideNotFound
from kinodom_common.errors import NotFound
from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.sources.reading import address_of, mapping_of, mappings_of, text_of, texts_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_resolver.domain.ports import Outside, QueryKind

BASE: Final = "https://images-api.nasa.gov"
ROWS: Final = 30
ORIGINAL: Final = "original"
# The upload itself is the best picture there is and often huge, so the largest made from it goes first.
RENDITIONS: Final = ("~large.mp4", "~orig.mp4", "~medium.mp4", "~mobile.mp4", "~small.mp4", ".mp4")
PAGE: Final = re.compile(r"/details(?:-|/)(.+?)(?:\.html)?")


class NoSuchVideo(NotFound):
    """The library has no video of this id."""

    code = "no_such_title"


class Nasa:
    """Videos of NASA's library; ids are `nasa:<nasa_id, escaped>`."""

    name = "nasa"
    label = "NASA"
    schemes = frozenset({"nasa"})
    weight = 25
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(self, outside: Outside, *, base_url: str = BASE) -> None:
        self._outside = outside
        self._base = base_url

    @classmethod
    def build(cls, _options: Mapping[str, str], outside: Outside) -> Self:
        """Return the source; it needs no option."""
        return cls(outside)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the videos that fit, or the one of a pasted page."""
        if "://" in query:
            return self._search_address(query)
        try:
            items = self._items(f"search?{urlencode({'q': query, 'media_type': 'video', 'page_size': ROWS})}")
        except OutsideNotFound as exc:
            raise OutsideBadAnswer("There is no search of NASA's library at its address any more.") from exc
        return [hit for item in items if (hit := self._hit(item)) is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return a video as a film with one version."""
        hit = self._hit_of(unquote(external_id.partition(":")[2]))
        version = Translation(translation_id=ORIGINAL, name="Original", episodes=(EpisodeRef(),))
        card = TitleCard.model_validate(hit.model_dump(include=set(TitleCard.model_fields)))
        return SourceTitle(source=self.name, card=card, translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files of a video, the best to play first."""
        if (season, episode, translation_id) != (None, None, ORIGINAL):
            return []
        asset = self._items(f"asset/{quote(unquote(external_id.partition(':')[2]), safe='')}")
        links = [link for one in asset if (link := address_of(self._base, one.get("href"))) is not None]
        # The library writes http and serves https; names of files hold spaces.
        clean = [quote(re.sub("^http:", "https:", link), safe=":/?=&%~") for link in links]
        subtitles = tuple(SubtitleOffer(url=one, language="en") for one in clean if one.lower().endswith(".srt"))[:1]
        ranked = sorted((rank, one) for one in clean if (rank := _rank(one)) is not None)
        return [
            Offer(source=self.name, url=one, delivery="progressive", subtitles=subtitles)
            for _, one in ranked
            if len(one) <= 4000
        ]

    def _search_address(self, address: str) -> Sequence[TitleHit]:
        try:
            parts = urlsplit(address)
        except ValueError:
            return []
        page = PAGE.fullmatch(parts.path)
        return [self._hit_of(unquote(page[1]))] if parts.hostname == "images.nasa.gov" and page else []

    def _hit_of(self, nasa_id: str) -> TitleHit:
        asked = urlencode({"nasa_id": nasa_id, "media_type": "video"})
        hits = (self._hit(item) for item in self._items(f"search?{asked}"))
        found = next((hit for hit in hits if hit is not None and hit.external_id == _id_of(nasa_id)), None)
        if found is None:
            raise NoSuchVideo("NASA's library has no video of this name.")
        return found

    def _items(self, path: str) -> list[Mapping[str, object]]:
        items = mapping_of(mapping_of(self._outside.get_json(f"{self._base}/{path}")).get("collection")).get("items")
        if not isinstance(items, list):
            raise OutsideBadAnswer("NASA's library sent no list. Try again later.")
        return mappings_of(items)

    def _hit(self, item: Mapping[str, object]) -> TitleHit | None:
        facts = next(iter(mappings_of(item.get("data"))), {})
        pictures = (address_of(self._base, one.get("href")) for one in mappings_of(item.get("links")))
        if text_of(facts.get("media_type")) not in ("video", None):
            return None
        try:
            return TitleHit(
                external_id=_id_of(text_of(facts.get("nasa_id"), longest=300) or ""),
                source=self.name,
                name=" ".join((text_of(facts.get("title"), longest=300) or "").split()),
                year=year_of(facts.get("date_created")),
                kind="film",
                description=plain_text_apart(facts.get("description"), longest=5000),
                poster_url=next((one for one in pictures if one), None),
                genres=tuple(one[:60] for one in texts_of(facts.get("keywords"))[:5]),
            )
        except ValidationError:  # no name or no id
            return None


def _id_of(nasa_id: str) -> str:
    return f"nasa:{quote(nasa_id, safe='')}"


def _rank(address: str) -> int | None:
    ending = urlsplit(address).path.lower()
    return next((rank for rank, one in enumerate(RENDITIONS) if ending.endswith(one)), None)
