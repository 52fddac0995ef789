"""What is read on each page of a described site: one trip to a child for a page, whatever is wanted of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.adapters.parsing import PARSER
from kinodom_resolver.adapters.site_pages import Ask, Want, read_page

if TYPE_CHECKING:
    from kinodom_resolver.adapters.site_picks import Pick
    from kinodom_resolver.adapters.site_schema import Facts, Link, Site, SubtitleLink
    from kinodom_resolver.domain.ports import Page

Row = Mapping[str, Any]
Notice = Callable[[str, Sequence[str]], None]
TEXT: Final = 5000
ASKS: Final = TypeAdapter(tuple[Ask, ...])


class SiteGarbled(UpstreamFailed):
    """A site's page is not of the kind its description says: no JSON, or no rows and no word that there are none."""

    code = "site_garbled"
    title = "A site looks different from its description"


class SitePage:
    """What a page told. Whoever takes notes hears of what is looked at."""

    def __init__(self, url: str, told: Mapping[str, Any], asks: Mapping[str, Ask], notice: Notice) -> None:
        self.url = url
        self._told = told
        self._asks = asks
        self._notice = notice

    def rows(self, name: str) -> list[Row]:
        """Return the rows of one ask; raises SiteGarbled when the page should be JSON and is not."""
        told = self._told[name]
        if told is None:
            raise SiteGarbled("The site sent something that is not the JSON its description promises.")
        if self._asks[name].each is not None:
            self._notice(f"{name}.each", [""] * len(told["rows"]))
        for key, texts in told["found"].items():
            self._notice(f"{PREFIXES.get(name, name)}.{key}".removesuffix("."), texts)
        rows: list[Row] = told["rows"]
        return rows

    def row(self, name: str) -> Row:
        """Return what was asked of the page itself."""
        return self.rows(name)[0]


PREFIXES: Final = {"search.page": "search", "episodes.page": "episodes"}  # whose picks stand in the rows' own part


class SiteReader:
    """Reads pages of one site.

    Args:
        notice: called with the place in the description (`search.name`) and what was found there; None: nobody is.
    """

    def __init__(self, site: Site, notice: Notice | None = None) -> None:
        self._asks = {ask.name: ask for ask in asks_of(site)}
        self._notice = notice

    def read(self, page: Page, *names: str) -> SitePage:
        """Return what is asked for on a page, by the names of the asks.

        Raises:
            PageTooHard: it could not be read in time or in bounded memory.
        """
        asks = ASKS.dump_json(tuple(self._asks[name] for name in names)).decode()
        content_type = page.headers.get("content-type", "")
        told = PARSER.run(
            read_page, page.body, url=page.url, content_type=content_type, asks=asks, noting=self._notice is not None
        )
        return SitePage(page.url, told, self._asks, self._notice or (lambda _key, _found: None))


def asks_of(site: Site) -> Iterator[Ask]:
    """Give what is read of the pages of a site; the names are places in its description."""
    if site.search is not None:
        link = {"link": Want(pick=site.search.link, kind="address")}
        yield Ask(name="search", each=site.search.each, wants=link | _facts(site.search))
        yield Ask(name="search.page", wants=_wants(nothing=(site.search.nothing, "line", TEXT)))
    page = _wants(duration=(site.title.duration, "line", 300), licence=(site.title.licence, "line", 200))
    yield Ask(name="title", wants=page | _facts(site.title))
    if (episodes := site.episodes) is not None:
        yield Ask(name="episodes.page", wants=_wants(page=(episodes.page, "address", 0)))
        wants = _wants(
            link=(episodes.link, "address", 0), season=(episodes.season, "line", 300),
            number=(episodes.number, "line", 300), name=(episodes.name, "line", 300),
            duration=(episodes.duration, "line", 300), dub=(episodes.dub, "line", 100),
        )  # fmt: skip
        yield Ask(name="episodes", each=episodes.each, wants=wants)
    for number, pick in enumerate(site.media.follow):
        yield Ask(name=f"media.follow.{number}", wants=_wants(**{"": (pick, "address", 0)}))
    for number, one in enumerate(site.media.links):
        yield _media(f"media.links.{number}", one, height=(one.height, "line", 300))
    for number, text in enumerate(site.media.subtitles):
        yield _media(
            f"media.subtitles.{number}", text, language=(text.language, "line", 20), name=(text.name, "line", 100)
        )


def _media(name: str, link: Link | SubtitleLink, /, **more: tuple[Pick | None, str, int]) -> Ask:
    return Ask(name=name, each=link.each, wants=_wants(link=(link.link, "addresses", 0), **more))


def _facts(facts: Facts) -> dict[str, Want]:
    return _wants(
        name=(facts.name, "line", 300), original_name=(facts.original_name, "line", 300),
        cover=(facts.cover, "address", 0), date=(facts.date, "line", 300),
        description=(facts.description, "prose", TEXT), genres=(facts.genres, "lines", 0),
        people=(facts.people, "lines", 0),
    )  # fmt: skip


def _wants(**wanted: tuple[Pick | None, str, int]) -> dict[str, Want]:
    return {
        name: Want.model_validate({"pick": pick, "kind": kind, "longest": longest})
        for name, (pick, kind, longest) in wanted.items()
        if pick is not None
    }
