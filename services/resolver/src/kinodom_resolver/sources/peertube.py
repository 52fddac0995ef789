"""PeerTube: many independent sites that speak one API, and Sepia Search, the index over them.

A video lives on one host; that host is part of its id, and it alone is asked for the details and the addresses.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideBadAnswer, OutsideBadStatus, OutsideNotFound
from kinodom_common.errors import Forbidden, KinodomError, NotFound, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.sources import peertube_files
from kinodom_resolver.sources.reading import (
    address_of,
    language_of,
    mapping_of,
    mappings_of,
    seconds_of,
    text_of,
    texts_of,
    year_of,
)
from kinodom_resolver.sources.side_by_side import PART_OF_DEADLINE, ask_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Offer, SubtitleOffer
    from kinodom_resolver.domain.ports import Outside, QueryKind

log = get_log(__name__)

ROWS: Final = 30  # per place; the API allows 100
ORIGINAL: Final = "original"
PUBLISHED: Final = 1
OWNERS: Final = ("account", "channel")
HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?")
NAME: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[1-9A-HJ-NP-Za-km-z]{22}")  # uuid, or a short one
PAGE: Final = re.compile(rf"/(?:w|videos/watch|videos/embed)/({NAME.pattern})/?")
LICENCES: Final = {
    1: "CC BY",
    2: "CC BY-SA",
    3: "CC BY-ND",
    4: "CC BY-NC",
    5: "CC BY-NC-SA",
    6: "CC BY-NC-ND",
    7: "Public domain",
}


class PeerTubeGarbled(UpstreamFailed):
    """The site's answer has a shape that PeerTube never had."""

    code = "peertube_garbled"


class NoSuchVideo(NotFound):
    """That PeerTube site has no such video, or it cannot be kept: live, without a picture, not yet made ready."""

    code = "no_such_title"


class VideoLocked(Forbidden):
    """The video is private, needs a password, or its owner does not let people download it."""

    code = "peertube_locked"
    title = "Its owner keeps this video closed"


class PeerTube:
    """Videos of PeerTube sites; ids are `peertube:<host/uuid, escaped>`.

    Args:
        instances: addresses of the sites to search.
        sepia: address of the index to search; None: only the sites.
        outside: the way out.
        wait_s: how long a search waits for the places it asks.
    """

    name = "peertube"
    label = "PeerTube"
    schemes = frozenset({"peertube"})
    weight = 30
    needs = "Name sites in KINODOM_PEERTUBE_INSTANCES, or let KINODOM_SEPIA_URL be."
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(self, instances: Sequence[str], sepia: str | None, outside: Outside, *, wait_s: float = 3.4) -> None:
        self._bases = {urlsplit(base).netloc: base.rstrip("/") for base in instances}
        self._places = [*self._bases.values(), *([sepia.rstrip("/")] if sepia else [])]
        self._outside = outside
        self._wait_s = wait_s

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self | None:
        """Return the source; `peertube_instances` and `sepia_url` name the places. None when both are empty."""
        instances = options.get("peertube_instances", "").split()
        sepia = None if options["sepia_url"] == "off" else options["sepia_url"]
        wait_s = float(options["search_deadline_s"]) * PART_OF_DEADLINE
        return cls(instances, sepia, outside, wait_s=wait_s) if instances or sepia else None

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the videos that fit, those of the operator's sites first; or the video of a pasted page."""
        if "://" in query:
            return self._search_address(query)
        found = ask_all([partial(self._search_place, base, query) for base in self._places], wait_s=self._wait_s)
        unique = {hit.external_id: hit for hits in reversed(found) for hit in reversed(hits)}
        return list(reversed(unique.values()))

    def title(self, external_id: str) -> SourceTitle:
        """Return a video as a film with one version."""
        base, name = self._place_of(external_id)
        video = self._video(base, name)
        card = _card(video, external_id, base)
        if card is None:
            raise PeerTubeGarbled("The site described the video in a way that cannot be read.")
        if (card.description or "").endswith(("...", "…")):  # cut after 250 characters
            card = card.model_copy(update={"description": self._whole_text(base, name) or card.description})
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            language=language_of(mapping_of(video.get("language")).get("id")),
            heights_px=peertube_files.heights_of(video),
            episodes=(EpisodeRef(duration_s=seconds_of(video.get("duration"))),),
        )
        return SourceTitle(source=self.name, card=card, translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the playlist with all heights, then the files where the site keeps them."""
        if (season, episode, translation_id) != (None, None, ORIGINAL):
            return []
        base, name = self._place_of(external_id)
        video = self._video(base, name)
        if video.get("downloadEnabled") is False:
            raise VideoLocked("The owner of this video does not let people download it. It can be watched at its site.")
        return peertube_files.offers_of(
            video,
            base,
            source=self.name,
            duration_s=seconds_of(video.get("duration")),
            subtitles=self._subtitles(base, name),
        )

    def _search_place(self, base: str, query: str) -> list[TitleHit]:
        asked = urlencode({"search": query, "start": 0, "count": ROWS, "nsfw": "false"})
        try:
            rows = mapping_of(self._outside.get_json(f"{base}/api/v1/search/videos?{asked}")).get("data")
        except OutsideNotFound as exc:
            raise PeerTubeGarbled(f"{urlsplit(base).netloc} has no search. Perhaps it is not a PeerTube site.") from exc
        if not isinstance(rows, list):
            raise PeerTubeGarbled(f"{urlsplit(base).netloc} sent no list of videos.")
        return [hit for row in mappings_of(rows) if (hit := self._hit(row, base)) is not None]

    def _search_address(self, address: str) -> Sequence[TitleHit]:
        try:
            parts = urlsplit(address)
            page = PAGE.fullmatch(parts.path)
        except ValueError:
            return []
        host = parts.netloc.lower()
        if page is None or not HOST.fullmatch(host):
            return []
        base = self._bases.get(host, f"https://{host}")
        try:
            video = self._video(base, page[1])
        except (OutsideBadAnswer, PeerTubeGarbled):  # a page of some other site
            return []
        hit = self._hit(video, base)
        return [] if hit is None else [hit.model_copy(update={"heights_px": peertube_files.heights_of(video)})]

    def _hit(self, row: Mapping[str, object], base: str) -> TitleHit | None:
        host = _host_of(row)
        name = text_of(row.get("uuid"), longest=40) or text_of(row.get("shortUUID"), longest=40) or ""
        if host is None or not NAME.fullmatch(name) or row.get("isLive") is True or row.get("nsfw") is True:
            return None
        card = _card(row, f"peertube:{quote(f'{host}/{name}', safe='')}", base)
        return TitleHit(**card.model_dump(), source=self.name) if card is not None else None

    def _place_of(self, external_id: str) -> tuple[str, str]:
        host, _, name = unquote(external_id.partition(":")[2]).partition("/")
        if not HOST.fullmatch(host) or not NAME.fullmatch(name):
            raise NoSuchVideo("This is not an id of a PeerTube video.")
        return self._bases.get(host, f"https://{host}"), name

    def _video(self, base: str, name: str) -> Mapping[str, object]:
        try:
            video = mapping_of(self._outside.get_json(f"{base}/api/v1/videos/{name}"))
        except OutsideBadStatus as exc:
            if exc.facts.get("status") in (401, 403):
                raise VideoLocked("This video is private or needs a password. It can be watched at its site.") from exc
            raise
        if not isinstance(video.get("files"), list) and not isinstance(video.get("streamingPlaylists"), list):
            raise PeerTubeGarbled(f"{urlsplit(base).netloc} sent no video. Perhaps it is not a PeerTube site.")
        if video.get("isLive") is True:
            raise NoSuchVideo("This is a live broadcast. It can be kept when it is over and stands there as a video.")
        if mapping_of(video.get("state")).get("id", PUBLISHED) != PUBLISHED:
            raise NoSuchVideo("The site is still making this video ready. Try again in a while.")
        if not peertube_files.offers_of(video, base, source=self.name, duration_s=None, subtitles=()):
            raise NoSuchVideo("There is no picture in this video, or no file of it can be had.")
        return video

    def _whole_text(self, base: str, name: str) -> str | None:
        try:
            reply = mapping_of(self._outside.get_json(f"{base}/api/v1/videos/{name}/description"))
        except KinodomError as exc:  # the film is worth showing with half of its text
            log.info("description_left_cut", code=exc.code)
            return None
        return plain_text_apart(reply.get("description"), longest=5000)

    def _subtitles(self, base: str, name: str) -> tuple[SubtitleOffer, ...]:
        try:
            reply = mapping_of(self._outside.get_json(f"{base}/api/v1/videos/{name}/captions"))
        except KinodomError as exc:  # a film without subtitles is better than no film
            log.warning("captions_left_out", code=exc.code, error=exc.detail)
            return ()
        return peertube_files.subtitles_of(mappings_of(reply.get("data")), base)


def _card(fields: Mapping[str, object], external_id: str, base: str) -> TitleCard | None:
    category = mapping_of(fields.get("category"))
    genre = text_of(category.get("label"), longest=100) if category.get("id") is not None else None
    pictures = ("previewUrl", "previewPath", "thumbnailUrl", "thumbnailPath")
    try:
        return TitleCard(
            external_id=external_id,
            name=" ".join((text_of(fields.get("name"), longest=300) or "").split()),
            year=year_of(fields.get("originallyPublishedAt")) or year_of(fields.get("publishedAt")),
            kind="film",
            description=plain_text_apart(fields.get("description") or fields.get("truncatedDescription"), longest=5000),
            poster_url=next((url for key in pictures if (url := address_of(f"{base}/", fields.get(key)))), None),
            genres=((genre,) if genre else ()) + tuple(texts_of(fields.get("tags"))[:5]),
            people=tuple(dict.fromkeys(name for owner in OWNERS if (name := _owner(fields, owner)) is not None)),
            licence=_licence(mapping_of(fields.get("licence"))),
        )
    except ValidationError:
        return None


def _owner(fields: Mapping[str, object], owner: str) -> str | None:
    return text_of(mapping_of(fields.get(owner)).get("displayName"), longest=100)


def _licence(licence: Mapping[str, object]) -> str | None:
    number = licence.get("id")
    if isinstance(number, int) and number in LICENCES:
        return LICENCES[number]
    return text_of(licence.get("label"), longest=200) if number is not None else None


def _host_of(row: Mapping[str, object]) -> str | None:
    try:
        hosts = [urlsplit(text_of(row.get("url"), longest=2000) or "").netloc]
    except ValueError:
        hosts = []
    hosts += [text_of(mapping_of(row.get(owner)).get("host"), longest=300) or "" for owner in OWNERS]
    return next((host.lower() for host in hosts if HOST.fullmatch(host.lower())), None)
