"""From a player page to addresses: signed parameters, the path that the player's script posts to, links by height."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from kinodom_common.egress import OutsideBadStatus, OutsideNotFound
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.parsing import PARSER
from kinodom_resolver.sources.kodik.api import ERROR_BYTES, is_token_error, json_of
from kinodom_resolver.sources.kodik.decoding import decoded
from kinodom_resolver.sources.kodik.page import page_of, post_paths_in
from kinodom_resolver.sources.kodik.typed import is_among
from kinodom_resolver.sources.reading import address_of, count_of, mapping_of, mappings_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kinodom_resolver.domain.ports import Outside
    from kinodom_resolver.sources.kodik.page import Played, PlayerPage

log = get_log(__name__)

PAGE_BYTES: Final = 3_000_000
SCRIPT_BYTES: Final = 4_000_000
REPLY_BYTES: Final = 500_000
HOSTS_KEPT: Final = 8
FIRST_ROTATION: Final = 18  # of 2025 and 2026
BLOCKED: Final = re.compile(r"(?:запрещ|недоступ|заблокир).*\bстран(?:е|ах|ы)\b")


class KodikMoved(UpstreamFailed):
    """A player page is at a host that is not on the operator's list."""

    code = "kodik_moved"
    title = "Kodik has moved"


class KodikBlockedHere(Rejected):
    """Kodik does not show this video in the country that the house calls from."""

    code = "kodik_blocked_here"
    title = "Not shown in this country"


class KodikPageGone(NotFound):
    """Kodik has no such player page any more."""

    code = "no_such_title"


class KodikPlayerFailed(UpstreamFailed):
    """The player page shows an error, or no longer works as it did."""

    code = "kodik_player_failed"


class _Stale(UpstreamFailed):
    """The signatures of the page are too old."""

    code = KodikPlayerFailed.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One rendition."""

    height_px: int
    address: str


class Player:
    """Opens player pages. It remembers the path of each host and the last rotation that worked, nothing else."""

    def __init__(self, hosts: Collection[str], outside: Outside) -> None:
        self._hosts = hosts
        self._outside = outside
        self._paths: OrderedDict[str, str] = OrderedDict()
        self._rotation = FIRST_ROTATION
        self._lock = threading.Lock()

    def open(self, url: str) -> PlayerPage:
        """Return a player page.

        Raises:
            KodikBlockedHere, KodikPageGone, KodikPlayerFailed: what the page says instead.
            KodikMoved: it is, or leads, where nobody is asked.
        """
        self._check_host(url)
        reply = self._outside.get(url, headers={"Referer": _origin(url) + "/"}, max_bytes=PAGE_BYTES)
        self._check_host(reply.url)
        page = PARSER.run(page_of, reply.body, url=reply.url)
        if page.failure is not None:
            raise _failed(page.failure, page.country)
        if page.played is None and not page.episodes:
            raise KodikPlayerFailed("There is no player on Kodik's player page. Try again later.")
        return page

    def links(self, url: str, choose: Callable[[PlayerPage], Played | None]) -> tuple[PlayerPage, list[Link]]:
        """Return the page and its links, the highest first; none when `choose` finds nothing on it to play."""
        page = self.open(url)
        try:
            return page, self._links(page, choose(page))
        except _Stale:
            page = self.open(url)
            return page, self._links(page, choose(page))

    def _links(self, page: PlayerPage, played: Played | None) -> list[Link]:
        if played is None:
            return []
        reply = self._video(page, played)
        found: dict[int, Link] = {}
        for key, entries in mapping_of(reply.get("links")).items():
            height = count_of(key)
            addresses = (self._decoded(one.get("src"), page.url) for one in mappings_of(entries))
            address = next((one for one in addresses if one is not None), None)
            if height is not None and height <= 10_000 and address is not None:
                found[height] = Link(height_px=height, address=address)
        if not found and mapping_of(reply.get("links")):
            raise KodikPlayerFailed("Kodik writes its links in a way that is not known here. Look for a newer Kinodom.")
        return [found[height] for height in sorted(found, reverse=True)]

    def _decoded(self, src: object, base: str) -> str | None:
        found = decoded(text_of(src) or "", self._rotation)
        if found is None:
            return None
        if found.rotation is not None and found.rotation != self._rotation:
            log.info("kodik_rotation_changed", before=self._rotation, now=found.rotation)
            self._rotation = found.rotation
        return address_of(base, found.address)

    def _video(self, page: PlayerPage, played: Played) -> Mapping[str, object]:
        """Return the video-info reply, from the path that worked last at this host, else from the script's."""
        host = urlsplit(page.url).netloc
        with self._lock:
            known = self._paths.get(host)
        if known is not None:
            try:
                return self._post(page, played, known)
            except KodikPlayerFailed as exc:
                log.info("kodik_path_failed", host=host, path=known, code=exc.code)
        path = self._discovered(page)
        reply = self._post(page, played, path)
        with self._lock:
            self._paths[host] = path
            self._paths.move_to_end(host)
            while len(self._paths) > HOSTS_KEPT:
                self._paths.popitem(last=False)
        return reply

    def _discovered(self, page: PlayerPage) -> str:
        for address in page.scripts[:3]:
            self._check_host(address)
            try:
                script = self._outside.get(address, headers={"Referer": page.url}, max_bytes=SCRIPT_BYTES)
            except OutsideNotFound:
                continue
            if paths := PARSER.run(post_paths_in, script.body):
                return paths[0]
        raise KodikPlayerFailed("Kodik's player no longer works the way it did. Look for a newer Kinodom.")

    def _post(self, page: PlayerPage, played: Played, path: str) -> Mapping[str, object]:
        if not page.signed:
            raise KodikPlayerFailed("Kodik's player page holds no signatures. Try again later.")
        fields = {"type": played.kind, "hash": played.media_hash, "id": played.media_id, **page.signed}
        fields |= {"bad_user": "true", "cdn_is_working": "true", "info": "{}"}
        headers = {"Origin": _origin(page.url), "Referer": page.url, "X-Requested-With": "XMLHttpRequest"}
        try:
            answer = self._outside.post_form(
                urljoin(page.url, path), fields, headers=headers, max_bytes=REPLY_BYTES, bad_body_bytes=ERROR_BYTES
            )
        except OutsideBadStatus as exc:
            error = text_of(mapping_of(json_of(exc.body)).get("error")) or ""
            if is_token_error(error):  # the token plays no part here: its words for signatures that are too old
                raise _Stale("Kodik's player does not take its own signatures. Try again in a minute.") from exc
            raise KodikPlayerFailed(f"Kodik's player gave no links (status {exc.facts.get('status')}).") from exc
        except OutsideNotFound as exc:
            raise KodikPlayerFailed("Kodik's player gave no links (status 404).") from exc
        reply = json_of(answer.body)
        if not isinstance(reply, dict) or not isinstance(reply.get("links"), dict):
            raise KodikPlayerFailed("Kodik's player gave an answer without links. Try again later.")
        return reply

    def _check_host(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if not is_among(host, self._hosts):
            raise KodikMoved(
                f"Kodik sends to a player at {host[:100] or 'no host'}, which is not on the list in "
                "KINODOM_KODIK_PLAYER_HOSTS. If Kodik has moved there, put it on the list."
            )


def _failed(message: str, country: str | None) -> KodikBlockedHere | KodikPageGone | KodikPlayerFailed:
    words = message.lower()
    if BLOCKED.search(words):
        return KodikBlockedHere(
            f"Kodik does not show this video in the country it takes this house to be in ({country or 'not said'})."
        )
    if "не существует" in words or "не найден" in words:
        return KodikPageGone("Kodik does not have this video any more.")
    return KodikPlayerFailed(f"Kodik's player says: “{message}”.")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
