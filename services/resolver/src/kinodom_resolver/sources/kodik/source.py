"""The source itself: search, titles, offers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin, urlsplit

from kinodom_common.contracts.offers import Offer, Skip
from kinodom_common.errors import KinodomError, NotFound, Rejected, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.sources.kodik import by_page, titles
from kinodom_resolver.sources.kodik.api import KodikApi, KodikTokenRefused
from kinodom_resolver.sources.kodik.decoding import expiry_of
from kinodom_resolver.sources.kodik.player import Player
from kinodom_resolver.sources.kodik.records import record_of
from kinodom_resolver.sources.kodik.shikimori import ShikimoriTitles
from kinodom_resolver.sources.kodik.typed import Lookup, is_among, lookup_of_id, lookups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kinodom_common.contracts.titles import SourceTitle, TitleHit
    from kinodom_resolver.domain.ports import Outside, QueryKind
    from kinodom_resolver.sources.kodik.page import PlayerPage
    from kinodom_resolver.sources.kodik.player import Link
    from kinodom_resolver.sources.kodik.records import Record

log = get_log(__name__)

MANIFEST_BYTES: Final = 1_000_000
MANIFEST_S: Final = 3.0  # a slow host of media must not cost the whole answer
PART_LENGTH: Final = re.compile(rb"^#EXTINF:(\d{1,6}(?:\.\d{1,9})?)", re.MULTILINE)


class NoSuchKodikTitle(NotFound):
    """Kodik has no title with this id."""

    code = "no_such_title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """Links whose first manifest was there, and what it told."""

    links: tuple[Link, ...]
    duration_s: float | None


class Kodik:
    """Titles of Kodik; ids are `shikimori:`, `kinopoisk:` and `imdb:<id>`, or `kodik:` for what has none of these."""

    name = "kodik"
    label = "Kodik"
    needs = "Set KINODOM_KODIK_TOKEN to a token of your own; Kodik gives one by mail (support@kodikres.com)."
    schemes = frozenset({"kodik", "shikimori", "kinopoisk", "imdb"})
    weight = 70
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(
        self, api: KodikApi, player: Player, shikimori: ShikimoriTitles | None, *, base: str, hosts: Sequence[str],
        outside: Outside,
    ) -> None:  # fmt: skip
        self._api = api
        self._player = player
        self._shikimori = shikimori
        self._base = base
        self._hosts = hosts
        self._outside = outside

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self | None:
        """Return the source when `kodik_token` is set; without `shikimori_enabled` there is no second way to search."""
        token = options.get("kodik_token")
        if not token:
            return None
        base = options["kodik_api_url"]
        hosts = tuple(options["kodik_player_hosts"].split(","))
        urls = [options["shikimori_url"], *filter(None, options.get("shikimori_mirrors", "").split(","))]
        shikimori = ShikimoriTitles(urls, outside) if options.get("shikimori_enabled") else None
        return cls(
            KodikApi(base, token, outside), Player(hosts, outside), shikimori, base=base, hosts=hosts, outside=outside
        )

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the titles that go by a name or an id; each once, with all its voices."""
        lookups = lookups_of(query, self._hosts)
        try:
            found = [record for lookup in lookups for record in self._records(lookup, episodes=False)]
        except KodikTokenRefused as refused:
            return self._search_elsewhere(lookups, refused)
        groups = titles.grouped(found)
        return [hit for key, group in groups.items() if (hit := titles.hit_of(self.name, key, group)) is not None]

    def title(self, external_id: str) -> SourceTitle:
        """Return a title with its translations and their episodes."""
        lookup = self._lookup(external_id)
        canonical = _canonical(external_id, lookup)
        try:
            key, group = titles.chosen(self._records(lookup, episodes=True), lookup, canonical)
            found = titles.title_of(self.name, key, group) if group else None
        except KodikTokenRefused as refused:
            page = self._player.open(self._page_url(lookup, refused))
            found = by_page.title_of(self.name, canonical, page, self._card(lookup))
        if found is None:
            raise NoSuchKodikTitle("Kodik has no title with this id.")
        return found

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the playlists of one episode, the highest first."""
        lookup = self._lookup(external_id)
        try:
            records = self._records(lookup, episodes=True)
        except KodikTokenRefused as refused:
            page = self._player.open(self._page_url(lookup, refused))
            url = by_page.url_of(page, season, episode, translation_id)
        else:
            _, group = titles.chosen(records, lookup, _canonical(external_id, lookup))
            mine = [one for one in group if one.translation_id == translation_id]
            url = self._url_of(mine, season, episode)
        if url is None:
            return []
        page, links = self._player.links(url, lambda page: by_page.played(page, season, episode))
        living = self._living(links)
        shown = page.played == by_page.played(page, season, episode)  # the page's skips are of what it shows
        skips = tuple(skips_of(page, living.duration_s)) if shown else ()
        return [
            Offer(
                source=self.name, url=link.address, delivery="hls", height_px=link.height_px,
                duration_s=living.duration_s, expires_at=expiry_of(link.address), skips=skips,
            )
            for link in living.links
            if len(link.address) <= 4000
        ]  # fmt: skip

    def _records(self, lookup: Lookup, *, episodes: bool) -> list[Record]:
        results = self._api.search(lookup, episodes=episodes)
        found = [record for raw in results if (record := record_of(raw, self._base)) is not None]
        if len(found) < len(results):
            log.warning("kodik_results_dropped", dropped=len(results) - len(found))
        return found

    def _search_elsewhere(self, lookups: Sequence[Lookup], refused: KodikTokenRefused) -> Sequence[TitleHit]:
        """Search at Shikimori, or open the one title that an id names."""
        if (
            not lookups
            or lookups[0].field == "player_link"
            or (self._shikimori is None and lookups[0].field == "title")
        ):
            raise refused
        first = lookups[0]
        if self._shikimori is None or first.field != "title":
            return [titles.hit_of_title(self.title(f"{first.field.removesuffix('_id')}:{first.value}"))]
        log.info("kodik_token_may_not_search")
        hits = self._shikimori.search(self.name, first.value)
        if hits:  # one question to Kodik tells a token that may not search from one that may do nothing
            self._api.player_link(Lookup(field="shikimori_id", value=str(hits[0].shikimori_id)), self._hosts[0])
        return hits

    def _lookup(self, external_id: str) -> Lookup:
        lookup = lookup_of_id(external_id)
        if lookup is None:
            raise NoSuchKodikTitle("This is not an id that Kodik knows titles by.")
        return lookup

    def _page_url(self, lookup: Lookup, refused: KodikTokenRefused) -> str:
        """Return the player page of an id, for a token that may not search."""
        try:
            link = self._api.player_link(lookup, self._hosts[0])
        except KodikTokenRefused:
            raise refused from None
        if link is None:
            raise NoSuchKodikTitle("Kodik has no title with this id.")
        return urljoin(self._base, link)

    def _card(self, lookup: Lookup) -> TitleHit | None:
        if self._shikimori is None or lookup.field != "shikimori_id":
            return None
        try:
            return self._shikimori.by_id(self.name, lookup.value)
        except UpstreamFailed as exc:
            log.info("kodik_title_without_card", code=exc.code)
            return None

    def _url_of(self, records: Iterable[Record], season: int | None, episode: int | None) -> str | None:
        """Return the player page of an episode; one at a host that may be asked goes before one at an old host."""
        urls = [url for record in records if (url := _record_url(record, season, episode)) is not None]
        known = (url for url in urls if is_among(urlsplit(url).hostname or "", self._hosts))
        return next(known, urls[0] if urls else None)

    def _living(self, links: Sequence[Link]) -> Living:
        """Step down to the first link whose manifest is there; what stands below it is taken at its word."""
        for number, link in enumerate(links):
            try:
                page = self._outside.get(link.address, max_bytes=MANIFEST_BYTES, deadline_s=MANIFEST_S)
            except (NotFound, Rejected) as exc:
                log.info("kodik_height_missing", height_px=link.height_px, code=exc.code)
                continue
            except KinodomError as exc:  # it may pass until the film is fetched
                log.warning("kodik_manifest_not_checked", height_px=link.height_px, code=exc.code)
                return Living(links=tuple(links[number:]), duration_s=None)
            if page.body.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"#EXTM3U"):
                return Living(links=tuple(links[number:]), duration_s=_length_s(page.body))
            log.info("kodik_height_missing", height_px=link.height_px, code="no_playlist")
        return Living(links=(), duration_s=None)


def skips_of(page: PlayerPage, duration_s: float | None) -> list[Skip]:
    """Return the parts to pass over; one that begins in the first half is an opening."""
    middle_s = duration_s / 2 if duration_s is not None else 600.0
    return [
        Skip(kind="opening" if start_s < middle_s else "ending", start_s=start_s, end_s=end_s)
        for start_s, end_s in page.skips
    ]


def _canonical(external_id: str, lookup: Lookup) -> str:
    scheme = external_id.partition(":")[0]
    return external_id if scheme == "kodik" else f"{scheme}:{lookup.value}"


def _record_url(record: Record, season: int | None, episode: int | None) -> str | None:
    if record.kind == "film" or episode is None:
        return record.link if record.kind == "film" and (season, episode) == (None, None) else None
    seasons = {one.season for one in record.episodes}
    if season is None and len(seasons) == 1:  # who asks does not know the season, and there is but one
        season = next(iter(seasons))
    for one in record.episodes:
        if (one.season, one.episode) == (season, episode):
            return one.link
    if record.episodes:
        return None
    return by_page.with_episode(record.link, season, episode)


def _length_s(body: bytes) -> float | None:
    if b"#EXT-X-ENDLIST" not in body:
        return None
    return round(sum(float(length) for length in PART_LENGTH.findall(body)), 3) or None
