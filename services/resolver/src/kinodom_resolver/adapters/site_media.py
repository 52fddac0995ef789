"""Episodes and files on the pages of a described site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.contracts.titles import EpisodeRef
from kinodom_resolver.adapters.site_picks import filled
from kinodom_resolver.sources.reading import seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.offers import Delivery
    from kinodom_resolver.adapters.site_reader import SitePage, SiteReader
    from kinodom_resolver.adapters.site_schema import Link, Site
    from kinodom_resolver.adapters.site_web import SiteWeb

NUMBER: Final = re.compile(r"\d{1,5}")
CLOCK: Final = re.compile(r"\d{1,4}:\d{1,2}(:\d{1,2})?|\d{1,7}(\.\d{1,3})?")
PARTS_OF_LENGTH: Final = re.compile(r"(\d{1,4})\s*(h|ч|m|м|s|с)", re.IGNORECASE)
SECONDS_IN: Final = {"h": 3600, "ч": 3600, "m": 60, "м": 60, "s": 1, "с": 1}
ENDING: Final = re.compile(r"\.(m3u8|mpd|mp4|m4v|mov|webm|mkv)$", re.IGNORECASE)
DELIVERY_OF: Final[dict[str, Delivery]] = {"m3u8": "hls", "mpd": "dash"}


@dataclass(frozen=True, slots=True)
class Episode:
    """One row of the list of episodes."""

    ref: EpisodeRef
    address: str
    dub: str | None  # None: the page names none


@dataclass(frozen=True, slots=True)
class Found:
    """One address of a film."""

    address: str
    height_px: int | None
    delivery: Delivery | None  # None: told by the ending


def media_asks(site: Site, step: int = 0) -> list[str]:
    """Return what is read on a page on the way to the files: the link onward, or the files themselves."""
    if step < len(site.media.follow):
        return [f"media.follow.{step}"]
    links = [f"media.links.{number}" for number in range(len(site.media.links))]
    return links + [f"media.subtitles.{number}" for number in range(len(site.media.subtitles))]


def episodes_on(page: SitePage) -> list[Episode]:
    """Return the episodes of a page, in its order; rows without a link are left out."""
    found: list[Episode] = []
    counted: dict[str | None, int] = {}
    for row in page.rows("episodes"):
        dub = row.get("dub")
        number = number_of(row.get("number"))
        counted[dub] = counted.get(dub, 0) + 1
        ref = EpisodeRef(
            season=number_of(row.get("season")),
            episode=counted[dub] if number is None else number,
            name=row.get("name"),
            duration_s=length_of(row.get("duration")),
        )
        if row["link"] is not None:
            found.append(Episode(ref, row["link"], dub))
    return found


def offers_on(page: SitePage, site: Site, web: SiteWeb, reader: SiteReader) -> list[Offer]:
    """Return the files on a page, or on the player pages it leads to; the page was read with `media_asks`."""
    for number in range(len(site.media.follow)):
        address = page.row(f"media.follow.{number}")[""]
        if address is None:
            return []
        page = reader.read(web.get(address, came_from=page.url), *media_asks(site, number + 1))
    found = [one for number, link in enumerate(site.media.links) for one in _files(page, link, number)]
    subtitles = tuple(one for number in range(len(site.media.subtitles)) for one in _subtitles(page, number))
    return offers_of(found, site, page.url, subtitles)


def offers_of(
    found: Sequence[Found], site: Site, page_url: str, subtitles: tuple[SubtitleOffer, ...] = ()
) -> list[Offer]:
    """Return offers of addresses, the tallest first and playlists before files; each address once."""
    headers = {name: filled(value, {"page": page_url}) for name, value in site.media.headers.items()}
    offers: dict[str, Offer] = {}
    for one in found:
        delivery = one.delivery or delivery_of(one.address)
        if delivery is not None and one.address not in offers:
            offers[one.address] = Offer(
                source=site.name, url=one.address, delivery=delivery, height_px=one.height_px,
                headers=headers, subtitles=subtitles,
            )  # fmt: skip
    return sorted(offers.values(), key=lambda offer: (offer.delivery == "progressive", -(offer.height_px or 0)))


def delivery_of(address: str) -> Delivery | None:
    """Return what an address ends like; None: neither a playlist nor a file that can be played."""
    match = ENDING.search(urlsplit(address).path)
    return DELIVERY_OF.get(match[1].lower(), "progressive") if match else None


def number_of(text: str | None) -> int | None:
    """Return the first whole number in a text such as `Episode 12`."""
    match = NUMBER.search(text or "")
    return int(match[0]) if match else None


def length_of(text: str | None) -> float | None:
    """Return seconds from `1:35:00`, `5700`, `95 min`, `1 h 35 min`, `1 ч 35 мин` or `PT1H35M`."""
    plain = (text or "").strip()
    if CLOCK.fullmatch(plain):
        return seconds_of(plain)
    return float(sum(int(n) * SECONDS_IN[unit.lower()] for n, unit in PARTS_OF_LENGTH.findall(plain))) or None


def _files(page: SitePage, link: Link, number: int) -> list[Found]:
    found: list[Found] = []
    for row in page.rows(f"media.links.{number}"):
        height = number_of(row.get("height"))
        fits = height if height is not None and 0 < height <= 10_000 else None
        found += [Found(one, fits, link.delivery) for one in row["link"]]
    return found


def _subtitles(page: SitePage, number: int) -> list[SubtitleOffer]:
    found: list[SubtitleOffer] = []
    for row in page.rows(f"media.subtitles.{number}"):
        for address in row["link"]:
            try:
                found.append(SubtitleOffer(url=address, language=row.get("language"), name=row.get("name")))
            except ValidationError:
                continue
    return found[:50]
