"""A source made of a description: a site that an operator wrote down in YAML."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.errors import NotFound
from kinodom_resolver.adapters import site_media
from kinodom_resolver.adapters.site_files import why_not
from kinodom_resolver.adapters.site_media import Episode, Found
from kinodom_resolver.adapters.site_picks import filled
from kinodom_resolver.adapters.site_reader import SiteGarbled, SiteReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_resolver.adapters.site_reader import Notice, Row, SitePage
    from kinodom_resolver.adapters.site_schema import Site
    from kinodom_resolver.adapters.site_web import SiteWeb
    from kinodom_resolver.domain.ports import QueryKind

YEAR: Final = re.compile(r"(?<!\d)(18[89]\d|19\d\d|20\d\d|21\d\d)(?!\d)")
ORIGINAL: Final = "original"


class NoSuchPage(NotFound):
    """The id names no page of the site, or its page tells of no title."""

    code = "no_such_title"


class YamlSite:
    """One described site; ids are `<name>:<address of the title's page, escaped, without the site's home>`."""

    def __init__(self, site: Site, web: SiteWeb, *, notice: Notice | None = None) -> None:
        self.name = site.name
        self.label = site.label
        self.weight = site.weight
        self.schemes = frozenset({site.name})
        kinds: tuple[QueryKind, ...] = ("words", "address") if site.search else ("address",)
        self.reads: frozenset[QueryKind] = frozenset(kinds)
        self._site = site
        self._web = web
        self._reader = SiteReader(site, notice)

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
        page = self._title_page(external_id, "title", *self._episode_asks())
        facts = page.row("title")
        length = site_media.length_of(facts.get("duration"))
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
        card = self._card(facts, external_id).model_copy(update={"kind": "series" if episodes else "film"})
        return SourceTitle(source=self.name, card=card, translations=versions)

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files of an episode or a film, as its page and the players in it name them."""
        media = site_media.media_asks(self._site)
        page = self._title_page(external_id, *self._episode_asks(), *media)
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
        inner = self._reader.read(self._web.get(link.address, came_from=page.url), *media)
        return site_media.offers_on(inner, self._site, self._web, self._reader)

    def _page_of_results(self, query: str, number: int) -> list[TitleHit]:
        search = self._site.search
        assert search is not None
        holes = {"query": quote(query, safe=""), "page": str(search.first_page + number)}
        page = self._reader.read(
            self._web.get(urljoin(self._site.home, filled(search.address, holes))), "search", "search.page"
        )
        rows = page.rows("search")
        if not rows and number == 0 and search.nothing is not None and not page.row("search.page")["nothing"]:
            raise SiteGarbled(f"{self.label} shows neither results nor that there are none. It may have changed.")
        return [hit for row in rows if (hit := self._hit(row)) is not None]

    def _hit(self, row: Row) -> TitleHit | None:
        address = row["link"]
        if address is None or why_not(self._site, address) is not None:
            return None
        try:
            return TitleHit(external_id=self._id_of(address), source=self.name, kind=self._site.kind, **_facts_of(row))
        except ValidationError:  # no name, or an address that does not fit into an id
            return None

    def _pasted(self, address: str) -> list[TitleHit]:
        if why_not(self._site, address) is not None:
            return []
        external_id = self._id_of(address)
        try:
            card = self._card(self._title_page(external_id, "title").row("title"), external_id)
        except NotFound:
            return []
        return [TitleHit(**card.model_dump(), source=self.name)]

    def _card(self, facts: Row, external_id: str) -> TitleCard:
        try:
            return TitleCard(external_id=external_id, licence=facts.get("licence"), **_facts_of(facts))
        except ValidationError as exc:
            raise NoSuchPage(f"{self.label} shows no title on this page.") from exc

    def _episode_asks(self) -> list[str]:
        if self._site.episodes is None:
            return []
        return ["episodes"] if self._site.episodes.page is None else ["episodes.page"]

    def _episodes(self, page: SitePage) -> list[Episode]:
        """Return the episodes on a title's page, or on the page with the list that it links to."""
        if self._site.episodes is None:
            return []
        if self._site.episodes.page is not None:
            address = page.row("episodes.page")["page"]
            if address is None:
                return []
            page = self._reader.read(self._web.get(address, came_from=page.url), "episodes")
        return site_media.episodes_on(page)

    def _title_page(self, external_id: str, *asks: str) -> SitePage:
        address = urljoin(self._site.home, unquote(external_id.partition(":")[2]))
        if why_not(self._site, address) is not None or self._id_of(address) != external_id:
            raise NoSuchPage("This is not an id of this site. Search for the title again.")
        return self._reader.read(self._web.get(address), *asks)

    def _id_of(self, address: str) -> str:
        parts, home = urlsplit(address), urlsplit(self._site.home)
        short = address
        if (parts.scheme, parts.netloc) == (home.scheme, home.netloc):
            short = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return f"{self.name}:{quote(short.partition('#')[0], safe='')}"


def _facts_of(row: Row) -> dict[str, Any]:
    date = YEAR.search(row.get("date") or "")
    return {
        "name": row.get("name") or "",
        "original_name": row.get("original_name"),
        "year": int(date[1]) if date else None,
        "poster_url": row.get("cover"),
        "description": row.get("description"),
        "genres": tuple(row.get("genres") or ()),
        "people": tuple(row.get("people") or ()),
    }


def translation_id_of(dub: str | None) -> str:
    """Return the id of a dub: its own name when that fits, else a digest of it."""
    if dub is None:
        return ORIGINAL
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", dub) and dub != ORIGINAL:
        return dub
    return "d" + hashlib.sha256(dub.encode()).hexdigest()[:16]
