"""Any page that yt-dlp knows, for an address that somebody pastes. yt-dlp only says where the film is; we fetch it.

It runs as a program of its own, with limits and behind our guard (`adapters/ytdlp_run.py`).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import quote, unquote

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import EgressRules
from kinodom_common.errors import NotFound
from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.adapters.ytdlp_run import YtDlpRuns, YtDlpUnknown
from kinodom_resolver.sources import ytdlp_formats
from kinodom_resolver.sources.reading import address_of, mappings_of, seconds_of, text_of, texts_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_resolver.domain.ports import Outside, QueryKind

ORIGINAL = "original"
OFF = "off"


class Extracts(Protocol):
    """What says what stands on a page; `YtDlpRuns` is one."""

    def extract(self, address: str) -> Mapping[str, object]:
        """Return the facts as yt-dlp's documentation names them."""


class NoFilmThere(NotFound):
    """yt-dlp read the page and found no film that can be fetched."""

    code = "no_such_title"


class YtDlp:
    """Pages of sites yt-dlp knows; ids are `ytdlp:<address, escaped>`."""

    name = "ytdlp"
    label = "yt-dlp"
    schemes = frozenset({"ytdlp"})
    weight = 20
    needs = "It needs the package yt-dlp, and KINODOM_YTDLP_EXTRACTORS not to be `off`."
    reads: frozenset[QueryKind] = frozenset({"address"})

    def __init__(self, extracts: Extracts) -> None:
        self._extracts = extracts

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self | None:
        """Return the source when the package is there and `ytdlp_extractors` is not `off`."""
        allowed = options.get("ytdlp_extractors", OFF)
        rules = getattr(outside, "rules", None)  # a way out without rules, as tests have, is none for a child
        if allowed == OFF or find_spec("yt_dlp") is None or not isinstance(rules, EgressRules):
            return None
        cookies = options.get("ytdlp_cookies")
        runs = YtDlpRuns(
            rules=rules,
            extractors=tuple(allowed.replace(",", " ").split()),
            timeout_s=float(options["open_deadline_s"]),
            cookies=Path(cookies) if cookies else None,
        )
        return cls(runs)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the one title of a pasted page; none when yt-dlp does not know the site."""
        try:
            facts = self._extracts.extract(query)
        except YtDlpUnknown:
            return []
        external_id = f"ytdlp:{quote(query, safe='')}"
        card = _card(facts, external_id)
        entries = _entries(facts)
        if card is None or (not entries and not ytdlp_formats.offers_of(facts, self.name)):
            return []
        heights = ytdlp_formats.heights_of(facts)
        return [TitleHit(**card.model_dump(), source=self.name, heights_px=heights, episodes=len(entries) or None)]

    def title(self, external_id: str) -> SourceTitle:
        """Return a film, or a playlist as a series."""
        facts = self._extracts.extract(_address_in(external_id))
        card = _card(facts, external_id)
        if card is None:
            raise NoFilmThere("yt-dlp finds no film on this page.")
        entries = _entries(facts)
        refs = tuple(
            EpisodeRef(episode=number, name=_line(entry.get("title")), duration_s=seconds_of(entry.get("duration")))
            for number, entry in enumerate(entries, 1)
        )
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            language=ytdlp_formats.language_of(facts.get("language")),
            heights_px=ytdlp_formats.heights_of(facts),
            episodes=refs or (EpisodeRef(duration_s=seconds_of(facts.get("duration"))),),
        )
        return SourceTitle(source=self.name, card=card, translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return fresh addresses; those of a playlist's entry need a second look."""
        if season is not None or translation_id != ORIGINAL:
            return []
        facts = self._extracts.extract(_address_in(external_id))
        entries = _entries(facts)
        if episode is None:
            return [] if entries else ytdlp_formats.offers_of(facts, self.name)
        if not 1 <= episode <= len(entries):
            return []
        address = text_of(entries[episode - 1].get("url"), longest=2000)
        return ytdlp_formats.offers_of(self._extracts.extract(address), self.name) if address else []


def _address_in(external_id: str) -> str:
    return unquote(external_id.partition(":")[2])


def _entries(facts: Mapping[str, object]) -> list[Mapping[str, object]]:
    return mappings_of(facts.get("entries")) if facts.get("_type") == "playlist" else []


def _line(value: object) -> str | None:
    return " ".join((plain_text_apart(text_of(value), longest=300) or "").split()) or None


def _card(facts: Mapping[str, object], external_id: str) -> TitleCard | None:
    people = texts_of(facts.get("cast")) or texts_of(facts.get("uploader"))
    try:
        return TitleCard(
            external_id=external_id,
            name=_line(facts.get("title")) or "",
            year=year_of(facts.get("release_year")) or year_of((text_of(facts.get("upload_date")) or "")[:4]),
            kind="series" if _entries(facts) else "film",
            description=plain_text_apart(facts.get("description"), longest=5000),
            poster_url=address_of("", facts.get("thumbnail")),
            genres=tuple(texts_of(facts.get("genres")) or texts_of(facts.get("categories")))[:20],
            people=tuple(people)[:50],
            licence=text_of(facts.get("license"), longest=200),
        )
    except ValidationError:  # no name, or an address too long for an id
        return None
