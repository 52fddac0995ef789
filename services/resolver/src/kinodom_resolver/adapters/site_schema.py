"""What may stand in the description of a site."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from kinodom_common.contracts.offers import Delivery
from kinodom_common.egress import AddressRefused, SchemeRefused, target_of
from kinodom_resolver.adapters.site_picks import Part, Pick, Selector, filled, holes_in, mistake, template

HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]{0,252}))(:(?P<port>[0-9]{1,5}))?")
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,23}")
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}")
VALUE: Final = re.compile(r"[\x20-\x7e]{0,2000}")
NOT_YOURS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade", "range"}
)


def _host(text: str) -> str:
    match = HOST.fullmatch(text.lower())
    if match is None or not 0 < int(match["port"] or 80) <= 65_535:
        raise mistake(f"{text!r} is no host. Write lantern.example or lantern.example:8080, without http://")
    return text.lower()


def _with_port(text: str) -> str:
    if not (match := HOST.fullmatch(_host(text))) or match["port"] is None:
        raise mistake(f"{text!r} has no port. Write it as host:port")
    return text


def _address(text: str) -> str:
    try:
        target_of(filled(text, dict.fromkeys(holes_in(text), "1")))
    except (AddressRefused, SchemeRefused) as exc:
        raise mistake(f"{text!r} cannot be asked: {exc.detail.partition(': ')[2]}") from exc
    return text


def _headers(pairs: dict[str, str]) -> dict[str, str]:
    for name, value in pairs.items():
        if not TOKEN.fullmatch(name) or name.lower() in NOT_YOURS:
            raise mistake(f"the header {name!r} cannot be set here")
        if name.lower() == "cookie":
            raise mistake("cookies have a place of their own: `cookies`")
        if not VALUE.fullmatch(value):
            raise mistake(f"the value of {name!r} holds signs no header has")
    return pairs


def _cookies(pairs: dict[str, str]) -> dict[str, str]:
    for name, value in pairs.items():
        if not TOKEN.fullmatch(name) or not VALUE.fullmatch(value) or ";" in value:
            raise mistake(f"the cookie {name!r} holds signs no cookie has")
    return pairs


def _links(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _short_link(value: object) -> object:
    """Let `links: [video@src]` and `links: {pattern: …}` stand for `{link: …}`."""
    short = isinstance(value, str) or (isinstance(value, dict) and not {"link", "each"} & value.keys())
    if not short:
        return value
    kept = {key: value[key] for key in ("delivery", "height") if isinstance(value, dict) and key in value}
    rest = {key: one for key, one in value.items() if key not in kept} if isinstance(value, dict) else value
    return {"link": rest, **kept}


Host = Annotated[str, AfterValidator(_host)]
Headers = Annotated[dict[str, str], Field(max_length=20), AfterValidator(_headers)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Facts(Part):
    """What is told of a title, on its own page or in a row of the results."""

    name: Pick
    original_name: Pick | None = None
    cover: Pick | None = None
    date: Pick | None = None
    description: Pick | None = None
    genres: Pick | None = None
    people: Pick | None = None


class Search(Facts):
    """The page of results, one row for each title."""

    address: Annotated[str, Field(max_length=1000), AfterValidator(template("query", "page"))]
    pages: Annotated[int, Field(ge=1, le=5)] = 1
    first_page: Annotated[int, Field(ge=0, le=1)] = 1
    each: Selector
    link: Pick
    nothing: Pick | None = None  # stands on the page when there are no results; without it and without rows: sick


class TitlePage(Facts):
    """The page of one title."""

    duration: Pick | None = None
    licence: Pick | None = None


class Episodes(Part):
    """The list of episodes on the page of a title, or on a page it links to."""

    page: Pick | None = None
    each: Selector
    link: Pick
    season: Pick | None = None
    number: Pick | None = None  # None: counted from 1 in the order of the page
    name: Pick | None = None
    duration: Pick | None = None
    dub: Pick | None = None


class Link(Part):
    """Where films are found; `each` makes rows, so that every link finds its own height."""

    each: Selector | None = None
    link: Pick
    height: Pick | None = None
    delivery: Delivery | None = None  # None: told by the ending of the address


class SubtitleLink(Part):
    """Where subtitles are found."""

    each: Selector | None = None
    link: Pick
    language: Pick | None = None
    name: Pick | None = None


class Media(Part):
    """From the page of a film or an episode to its files."""

    follow: Annotated[tuple[Pick, ...], BeforeValidator(_links), Field(max_length=4)] = ()
    links: Annotated[
        tuple[Annotated[Link, BeforeValidator(_short_link)], ...], BeforeValidator(_links), Field(min_length=1)
    ]
    subtitles: Annotated[
        tuple[Annotated[SubtitleLink, BeforeValidator(_short_link)], ...], BeforeValidator(_links)
    ] = ()
    headers: Annotated[Headers, AfterValidator(lambda pairs: {k: template("page")(v) for k, v in pairs.items()})] = (
        Field(default_factory=dict)
    )


class Example(Part):
    """Something the site is known to have; `make check-source` looks for it."""

    search: Words | None = None
    address: Annotated[str, Field(max_length=1000)] | None = None  # of a title's page, in place of a search
    name: Words | None = None
    episodes: Annotated[int, Field(ge=1)] | None = None  # at least so many
    link: Words | None = None  # stands in the address of an offer

    @model_validator(mode="after")
    def _one_way_in(self) -> Example:
        if (self.search is None) == (self.address is None):
            raise mistake("an example begins with either `search` or `address`")
        return self


class Site(Part):
    """One site."""

    name: Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
    label: Words
    weight: Annotated[int, Field(ge=0, le=1000)] = 50
    home: Annotated[str, Field(max_length=300), AfterValidator(_address)]
    hosts: Annotated[tuple[Host, ...], Field(max_length=20)] = ()  # beside the one of `home`
    headers: Headers = Field(default_factory=dict)
    cookies: Annotated[dict[str, str], Field(max_length=50), AfterValidator(_cookies)] = Field(default_factory=dict)
    proxy: Annotated[str, AfterValidator(_with_port)] | None = None
    pace_s: Annotated[float, Field(ge=0, le=30)] = 0.2  # least time between two requests
    search: Search | None = None
    title: TitlePage
    episodes: Episodes | None = None
    media: Media
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    kind: Literal["film", "series", "unknown"] = "unknown"  # of titles in the results, where nobody has looked yet
    examples: Annotated[tuple[Example, ...], Field(max_length=20)] = ()

    def places(self) -> frozenset[tuple[str, int]]:
        """Return name and port of every place whose pages may be read; a host without a port stands for 80 and 443."""
        home = target_of(self.home)
        found = {(home.host, home.port)}
        for text in self.hosts:
            match = HOST.fullmatch(text)
            assert match is not None
            name = match["name"].strip("[]")
            found |= {(name, int(match["port"]))} if match["port"] else {(name, 80), (name, 443)}
        return frozenset(found)
