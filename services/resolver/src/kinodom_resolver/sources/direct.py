"""An address that somebody typed: the playlist, manifest or file itself, on any site."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideTooLarge
from kinodom_common.errors import NotFound, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kinodom_common.contracts.offers import Delivery
    from kinodom_resolver.domain.ports import Outside, Page, QueryKind

LOOK_BYTES: Final = 65_536  # enough to tell what it is, and for any master playlist
REMEMBERED_S: Final = 60.0  # what an address was when it was looked at
MOST_REMEMBERED: Final = 200
MOST_BYTES: Final = 4_000_000  # of a site that sends everything although a part was asked for
LONGEST_VALUE: Final = 2_000  # of an address with its signs escaped, as it stands in the id
ORIGINAL: Final = "original"
DELIVERY_OF_ENDING: Final[dict[str, Delivery]] = {
    "mp4": "progressive",
    "m4v": "progressive",
    "mov": "progressive",
    "webm": "progressive",
    "mkv": "progressive",
}
ENDING: Final = re.compile(r"\.(m3u8?|mpd|mp4|m4v|mov|webm|mkv)$", re.IGNORECASE)
DULL_NAMES: Final = frozenset(
    {"", "master", "index", "playlist", "manifest", "main", "video", "stream", "hls", "dash", "prog index", "chunklist"}
)
RESOLUTION: Final = re.compile(rb"^#EXT-X-STREAM-INF:.*?\bRESOLUTION=\d{1,5}x(\d{1,5})", re.MULTILINE)
PART_LENGTH: Final = re.compile(rb"^#EXTINF:(\d{1,6}(?:\.\d{1,9})?)", re.MULTILINE)
MPD_HEIGHT: Final = re.compile(rb"<Representation\b[^>]*?\bheight=\"(\d{1,5})\"")
MPD_LENGTH: Final = re.compile(
    rb"\bmediaPresentationDuration=\"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d{1,9})?)S)?\""
)


class NotAVideo(Rejected):
    """What stands at the address is neither a playlist nor a manifest nor a video file."""

    code = "not_a_video"
    title = "There is no video at this address"


class AddressTooLong(Rejected):
    """The address does not fit into an id."""

    code = "address_too_long"


class SchemeNotTaken(Rejected):
    """Only http and https addresses are looked at."""

    code = "scheme_refused"
    title = "Only http and https addresses work"


class NotThisOne(NotFound):
    """The id has an address in it that this source never gave out."""

    code = "no_such_title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look at an address told."""

    delivery: Delivery
    heights_px: tuple[int, ...]  # the greatest first; empty: unknown
    duration_s: float | None  # None: the address does not say


class Direct:
    """The typed address itself; ids are `direct:<address, escaped>`."""

    name = "direct"
    label = "Typed address"
    schemes = frozenset({"direct"})
    weight = 100
    reads: frozenset[QueryKind] = frozenset({"address"})

    def __init__(self, outside: Outside, clock: Callable[[], float] = time.monotonic) -> None:
        self._outside = outside
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: dict[str, tuple[float, Seen]] = {}  # address: until when, what

    @classmethod
    def build(cls, _options: Mapping[str, str], outside: Outside) -> Self:
        """Return the source; it needs no option."""
        return cls(outside)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the one video at an address."""
        address = clean_address(query)
        seen = self._look(address)
        card = _card(address)
        return [TitleHit(**card.model_dump(), source=self.name, heights_px=seen.heights_px)]

    def title(self, external_id: str) -> SourceTitle:
        """Return the video as a film with one version."""
        address = _address_in(external_id)
        seen = self._look(address)
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            heights_px=seen.heights_px,
            episodes=(EpisodeRef(duration_s=seen.duration_s),),
        )
        return SourceTitle(source=self.name, card=_card(address), translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the address as an offer."""
        if (season, episode, translation_id) != (None, None, ORIGINAL):
            return []
        address = _address_in(external_id)
        seen = self._look(address)
        height = seen.heights_px[0] if len(seen.heights_px) == 1 else None
        return [
            Offer(source=self.name, url=address, delivery=seen.delivery, height_px=height, duration_s=seen.duration_s)
        ]

    def _look(self, address: str) -> Seen:
        """Return what is at an address; a look of just now counts, for a person finds, opens and watches in one go."""
        now_s = self._clock()
        with self._lock:
            until_s, seen = self._remembered.get(address, (0.0, None))
        if seen is not None and until_s > now_s:
            return seen
        seen = self._looked(address)
        with self._lock:
            fresh = {key: kept for key, kept in self._remembered.items() if kept[0] > now_s}
            self._remembered = {**fresh, address: (now_s + REMEMBERED_S, seen)} if len(fresh) < MOST_REMEMBERED else {}
        return seen

    def _looked(self, address: str) -> Seen:
        wanted = {"Range": f"bytes=0-{LOOK_BYTES - 1}", "Accept": "*/*"}
        try:
            page = self._outside.get(address, headers=wanted, max_bytes=MOST_BYTES)
        except OutsideTooLarge:
            # The site sends whole files only, and this one is large; a playlist never is. Its name has to do.
            ending = ENDING.search(urlsplit(address).path)
            delivery = DELIVERY_OF_ENDING.get(ending[1].lower()) if ending else None
            if delivery is None:
                raise
            return Seen(delivery=delivery, heights_px=(), duration_s=None)
        return sniff(page)


def clean_address(typed: str) -> str:
    """Return an address without user, password and fragment, its odd characters escaped.

    Raises:
        SchemeNotTaken: not http or https.
        NotAVideo: it names no host.
        AddressTooLong: too long to be kept.
    """
    try:
        parts = urlsplit(typed.strip())
        host = parts.hostname
    except ValueError:
        host = None
    if host is None or not host:
        raise NotAVideo("This is not a well-formed address. Copy it once more, from http to the end.")
    if parts.scheme.lower() not in ("http", "https"):
        raise SchemeNotTaken("Only addresses that begin with http:// or https:// can be fetched.")
    netloc = parts.netloc.rpartition("@")[2]
    path = quote(parts.path, safe="/:=&~+!$,;'@()*%-._")
    query = quote(parts.query, safe="/:=&?~+!$,;'@()*%-._[]")
    address = urlunsplit((parts.scheme.lower(), netloc, path, query, ""))
    if len(quote(address, safe="")) > LONGEST_VALUE:
        raise AddressTooLong("This address is too long to be kept. Sites often have a shorter one for the same video.")
    return address


def sniff(page: Page) -> Seen:
    """Return what a page is, from its first bytes; its content type only names what it is not.

    Raises:
        NotAVideo: none of the forms that can be played.
    """
    body = page.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body.startswith(b"#EXTM3U"):
        return Seen(delivery="hls", heights_px=_heights(RESOLUTION, body), duration_s=_playlist_s(page, body))
    if b"<MPD" in body[:4096] and body.startswith(b"<"):
        return Seen(delivery="dash", heights_px=_heights(MPD_HEIGHT, body), duration_s=_manifest_s(body))
    if page.body[4:8] == b"ftyp" or page.body.startswith(b"\x1a\x45\xdf\xa3"):
        return Seen(delivery="progressive", heights_px=(), duration_s=None)
    kind = page.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") or body[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise NotAVideo(
            "This address shows a web page, not a video. "
            "Give the address of the playlist (.m3u8, .mpd) or of the file itself."
        )
    raise NotAVideo(
        "What stands at this address is neither an HLS playlist, nor a DASH manifest, nor an MP4, WebM or MKV file."
    )


def name_of(address: str) -> str:
    """Return a name for people, from the file's name, else its folder's, else the host."""
    parts = urlsplit(address)
    for piece in reversed(parts.path.split("/")):
        name = re.sub(r"[\s._+]+", " ", ENDING.sub("", unquote(piece, errors="replace"))).strip(" -")
        name = "".join(char for char in name if char.isprintable())
        if name.lower() not in DULL_NAMES and not name.isdigit():
            return name[:300]
    return (parts.hostname or "video")[:300]


def _card(address: str) -> TitleCard:
    return TitleCard(external_id=f"direct:{quote(address, safe='')}", name=name_of(address), kind="film")


def _address_in(external_id: str) -> str:
    address = unquote(external_id.partition(":")[2])
    if clean_address(address) != address:
        raise NotThisOne("This is not an id of a typed address. Search for the address again.")
    return address


def _heights(pattern: re.Pattern[bytes], body: bytes) -> tuple[int, ...]:
    return tuple(sorted({height for text in pattern.findall(body) if (height := int(text)) > 0}, reverse=True))


def _playlist_s(page: Page, body: bytes) -> float | None:
    whole = page.status == 200 or len(page.body) < LOOK_BYTES
    if not whole or b"#EXT-X-ENDLIST" not in body:
        return None
    return round(sum(float(length) for length in PART_LENGTH.findall(body)), 3) or None


def _manifest_s(body: bytes) -> float | None:
    if not (match := MPD_LENGTH.search(body)):
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds or None
