"""The demo site: three invented films, made on the spot. Its API is its own (see the site's README)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode, urljoin

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.titles import EpisodeRef, Kind, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideNotFound
from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.sources.reading import (
    address_of,
    count_of,
    float_of,
    mapping_of,
    mappings_of,
    seconds_of,
    text_of,
    year_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_resolver.domain.ports import Outside, QueryKind

KINDS: dict[str, Kind] = {"film": "film", "series": "series"}


class DemoGarbled(UpstreamFailed):
    """The demo site's answer has another shape than its page says."""

    code = "demo_garbled"


class Demo:
    """Films of the demo site; ids are `demo:<slug>`."""

    name = "demo"
    label = "Demo films"
    schemes = frozenset({"demo"})
    weight = 80
    reads: frozenset[QueryKind] = frozenset({"words"})

    def __init__(self, base_url: str, outside: Outside) -> None:
        self._base = base_url.rstrip("/") + "/"
        self._outside = outside

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self | None:
        """Return the source when `demo_url` is set."""
        return cls(options["demo_url"], outside) if options.get("demo_url") else None

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the films whose names hold the words."""
        try:
            reply = self._outside.get_json(urljoin(self._base, f"api/films?{urlencode({'q': query})}"))
        except OutsideNotFound as exc:
            raise DemoGarbled("There is no demo site at its address.") from exc
        films = mapping_of(reply).get("films")
        if not isinstance(films, list):
            raise DemoGarbled("The demo site sent no list of films.")
        return [hit for film in mappings_of(films) if (hit := self._hit(film)) is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return a film with its versions."""
        film = self._film(external_id)
        card = self._hit(film)
        if card is None or card.external_id != external_id:
            raise DemoGarbled("The demo site described another film than the one asked for.")
        versions = tuple(one for raw in mappings_of(film.get("versions")) if (one := _translation(raw)) is not None)
        plain = TitleCard.model_validate(card.model_dump())
        return SourceTitle(source=self.name, card=plain, translations=versions)

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the one playlist of an episode; it lists all heights and the subtitles."""
        film = self._film(external_id)
        return [
            self._offer(playlist, part)
            for version in mappings_of(film.get("versions"))
            if text_of(version.get("id")) == translation_id
            for part in mappings_of(version.get("parts"))
            if (_number(part.get("season")), _number(part.get("number"))) == (season, episode)
            if (playlist := address_of(self._base, part.get("playlist"))) is not None
        ]

    def _film(self, external_id: str) -> Mapping[str, object]:
        slug = external_id.partition(":")[2]
        reply = self._outside.get_json(urljoin(self._base, f"api/films/{quote(slug, safe='')}"))
        film = mapping_of(reply).get("film")
        if not isinstance(film, dict):
            raise DemoGarbled("The demo site sent no film.")
        return film

    def _hit(self, film: Mapping[str, object]) -> TitleHit | None:
        versions = mappings_of(film.get("versions"))
        kind = KINDS.get(text_of(film.get("type")) or "", "unknown")
        try:
            return TitleHit(
                external_id=f"demo:{quote(text_of(film.get('slug')) or '', safe='')}",
                source=self.name,
                name=text_of(film.get("title"), longest=300) or "",
                original_name=text_of(film.get("title_original"), longest=300),
                year=year_of(film.get("year")),
                kind=kind,
                description=text_of(film.get("synopsis"), longest=5000),
                poster_url=address_of(self._base, film.get("poster")),
                genres=tuple(_texts(film.get("genres"))),
                licence=text_of(film.get("licence"), longest=200),
                dubs=tuple(name for one in versions if (name := text_of(one.get("studio"))) is not None),
                heights_px=tuple(sorted({height for one in versions for height in _heights(one)}, reverse=True)),
                episodes=count_of(film.get("episodes")) if kind == "series" else None,
            )
        except ValidationError:  # a field it cannot do without is missing or broken
            return None

    def _offer(self, playlist: str, part: Mapping[str, object]) -> Offer:
        return Offer(
            source=self.name,
            url=playlist,
            delivery="hls",
            duration_s=seconds_of(part.get("seconds")),
        )


def _translation(raw: Mapping[str, object]) -> Translation | None:
    parts = (
        EpisodeRef(
            season=_number(part.get("season")),
            episode=_number(part.get("number")),
            name=text_of(part.get("title")),
            duration_s=seconds_of(part.get("seconds")),
        )
        for part in mappings_of(raw.get("parts"))
    )
    try:
        return Translation(
            translation_id=text_of(raw.get("id")) or "",
            name=text_of(raw.get("studio")) or "",
            kind="voice" if raw.get("kind") == "dub" else "original",
            language=text_of(raw.get("lang")),
            heights_px=tuple(sorted(_heights(raw), reverse=True)),
            episodes=tuple(parts),
        )
    except ValidationError:
        return None


def _number(value: object) -> int | None:
    number = float_of(value)
    return int(number) if number is not None and 0 <= number <= 100_000 else None


def _heights(version: Mapping[str, object]) -> list[int]:
    raw = version.get("heights")
    return [height for one in raw if (height := count_of(one)) is not None] if isinstance(raw, list) else []


def _texts(value: object) -> list[str]:
    return [text for one in value if (text := text_of(one)) is not None] if isinstance(value, list) else []
