"""A source made of a description: a site that an operator wrote down in YAML."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.errors import NotFound
from kinodom_resolver.adapters import site_media
from kinodom_resolver.adapters.site_files import why_not
from kinodom_resolver.adapters.site_media import Episode, Found
from kinodom_resolver.adapters.site_pages import Place, Read, Reader, SiteGarbled
from kinodom_resolver.adapters.site_picks import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_resolver.adapters.site_pages import Notice
    from kinodom_resolver.adapters.site_schema import Facts, Site
    from kinodom_resolver.adapters.site_web import SiteWeb
    from kinodom_resolver.domain.ports import QueryKind

YEAR: Final = re.compile(r"(?<!\d)(18[89]\d|19\d\d|20\d\d|21\d\d)(?!\d)")
ORIGINAL: Final = "original"


class NoSuchPage(NotFound):
    """The id names no page of the site, or its page tells of no title."""

    code = "no_such_title"


class YamlSite:
    """One described site; ids are `<name>:<address of the title's page, escaped, without the site's home>`."""

    def __init__(self, site: Site, web: SiteWeb, *, notice: Notice = lambda _key, _found: None) -> None:
        self.name = site.name
        self.label = site.label
        self.weight = site.weight
        self.schemes = frozenset({site.name})
        kinds: tuple[QueryKind, ...] = ("words", "address") if site.search else ("address",)
        self.reads: frozenset[QueryKind] = frozenset(kinds)
        self._site = site
        self._web = web
        self._reader = Reader(notice)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the rows of the results as hits; a pasted page of the site gives the one title it shows."""
        if "://" in query:
            return self._pasted(query)
        hits: dict[str, TitleHit] = {}
        for number in range(self._site.search.pages if self._site.search else 0):
            found = self._page_of_results(query, number)
            fresh = {hit.external_id: hit for hit in found if hit.external_id not in hits}
            hits |= fresh
            if not fresh:
                break
        return list(hits.values())

    def title(self, external_id: str) -> SourceTitle:
        """Return a title's page with its episodes by dub; a title without episodes is a film."""
        page = self._page_of_title(external_id)
        length = site_media.length_of(self._reader.line(Place(page), self._site.title.duration, "title.duration"))
        episodes = self._episodes(page)
        dubs = dict.fromkeys(one.dub for one in episodes) or {None: None}
        refs = {dub: tuple(one.ref for one in episodes if one.dub == dub) for dub in dubs}
        versions = tuple(
            Translation(
                translation_id=translation_id_of(dub),
                name=dub or "Original",
                kind="voice" if dub else "original",
                language=self._site.language,
                episodes=refs[dub] or (EpisodeRef(duration_s=length),),
            )
            for dub in dubs
        )
        card = self._card(page, external_id).model_copy(update={"kind": "series" if episodes else "film"})
        return SourceTitle(source=self.name, card=card, translations=versions)

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files of an episode or a film, as its page and the players in it name them."""
        page = self._page_of_title(external_id)
        episodes = self._episodes(page)
        if not episodes:
            alone = (season, episode, translation_id) == (None, None, ORIGINAL)
            return site_media.offers_on(page, self._site, self._web, self._reader) if alone else []
        wanted = (season, episode, translation_id)
        link = next(
            (one for one in episodes if (one.ref.season, one.ref.episode, translation_id_of(one.dub)) == wanted), None
        )
        if link is None:
            return []
        if site_media.delivery_of(link.address) is not None:
            return site_media.offers_of([Found(link.address, None, None)], self._site, page.url)
        inner = Read(self._web.get(link.address, came_from=page.url))
        return site_media.offers_on(inner, self._site, self._web, self._reader)

    def _page_of_results(self, query: str, number: int) -> list[TitleHit]:
        search = self._site.search
        assert search is not None
        holes = {"query": quote(query, safe=""), "page": str(search.first_page + number)}
        page = Read(self._web.get(urljoin(self._site.home, filled(search.address, holes))))
        rows = self._reader.rows(Place(page), search.each, "search.each")
        empty = not rows and number == 0 and search.nothing is not None
        if empty and not self._reader.all(Place(page), search.nothing, "search.nothing"):
            raise SiteGarbled(f"{self.label} shows neither results nor that there are none. It may have changed.")
        return [hit for row in rows if (hit := self._hit(row)) is not None]

    def _hit(self, row: Place) -> TitleHit | None:
        search = self._site.search
        assert search is not None
        address = self._reader.address(row, search.link, "search.link")
        if address is None or why_not(self._site, address) is not None:
            return None
        try:
            facts = self._facts(row, search, "search")
            return TitleHit(
                external_id=self._id_of(address),
                source=self.name,
                kind=self._site.kind,
                **facts,
            )
        except ValidationError:  # no name, or an address that does not fit into an id
            return None

    def _pasted(self, address: str) -> list[TitleHit]:
        if why_not(self._site, address) is not None:
            return []
        external_id = self._id_of(address)
        try:
            card = self._card(self._page_of_title(external_id), external_id)
        except NotFound:
            return []
        return [TitleHit(**card.model_dump(), source=self.name)]

    def _card(self, page: Read, external_id: str) -> TitleCard:
        facts = self._facts(Place(page), self._site.title, "title")
        licence = self._reader.line(Place(page), self._site.title.licence, "title.licence", 200)
        try:
            return TitleCard(external_id=external_id, licence=licence, **facts)
        except ValidationError as exc:
            raise NoSuchPage(f"{self.label} shows no title on this page.") from exc

    def _facts(self, place: Place, facts: Facts, key: str) -> dict[str, object]:
        read = self._reader
        date = YEAR.search(read.line(place, facts.date, f"{key}.date") or "")
        return {
            "name": read.line(place, facts.name, f"{key}.name") or "",
            "original_name": read.line(place, facts.original_name, f"{key}.original_name"),
            "year": int(date[1]) if date else None,
            "poster_url": read.address(place, facts.cover, f"{key}.cover"),
            "description": read.prose(place, facts.description, f"{key}.description"),
            "genres": read.lines(place, facts.genres, f"{key}.genres"),
            "people": read.lines(place, facts.people, f"{key}.people"),
        }

    def _episodes(self, page: Read) -> list[Episode]:
        if self._site.episodes is None:
            return []
        return site_media.episodes_on(page, self._site, self._web, self._reader)

    def _page_of_title(self, external_id: str) -> Read:
        address = urljoin(self._site.home, unquote(external_id.partition(":")[2]))
        if why_not(self._site, address) is not None or self._id_of(address) != external_id:
            raise NoSuchPage("This is not an id of this site. Search for the title again.")
        return Read(self._web.get(address))

    def _id_of(self, address: str) -> str:
        parts, home = urlsplit(address), urlsplit(self._site.home)
        short = address
        if (parts.scheme, parts.netloc) == (home.scheme, home.netloc):
            short = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return f"{self.name}:{quote(short.partition('#')[0], safe='')}"


def translation_id_of(dub: str | None) -> str:
    """Return the id of a dub: its own name when that fits, else a digest of it."""
    if dub is None:
        return ORIGINAL
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", dub) and dub != ORIGINAL:
        return dub
    return "d" + hashlib.sha256(dub.encode()).hexdigest()[:16]
