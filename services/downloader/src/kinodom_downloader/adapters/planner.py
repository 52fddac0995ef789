"""From an offer to a plan: playlists and manifests are loaded, a quality is chosen, every piece is listed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from kinodom_common.egress import OutsideBadStatus, OutsideTooLarge, shown
from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.bodies import MemoryBody, Piece, Taken
from kinodom_downloader.domain.faults import (
    DrmProtected,
    LinkExpired,
    LivePlaylist,
    NotMedia,
    PlaylistBad,
    PlaylistRefused,
)
from kinodom_downloader.domain.gate import NotThatMedia, instead_of_media, unpacked
from kinodom_downloader.domain.hls_text import MAX_PLAYLIST_BYTES
from kinodom_downloader.domain.indexed import segments_by_index
from kinodom_downloader.domain.mpd import parse_mpd
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from kinodom_downloader.domain.playlists import Media, parse_playlist, target_s
from kinodom_downloader.domain.variants import Master, Rendition, Variant, chosen_renditions, chosen_variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.adapters.segments import Line
    from kinodom_downloader.domain.fetched import FilmSource, Role

log = get_log(__name__)

CHUNK_BYTES: Final = 1_048_576  # as much as a player asks for at once of a film that is still coming
_PROBE_BYTES: Final = 65_536
_ATTEMPTS: Final = 4
_MAX_DEPTH: Final = 5
_MAX_RENDITIONS: Final = 20
_MAX_QUALITIES: Final = 50  # that are tried when one is locked
_LONG_SEGMENT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Loaded:
    text: str
    url: str  # after redirects


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Makes plans with one connection.

    Args:
        line: the way to the hosts.
        pause: waits for so many seconds, or raises when the work is to stop.
    """

    line: Line
    pause: Callable[[float], None]
    _still: set[str] = field(default_factory=set)  # lists without an end that did not change

    def plan(self, offer: FilmSource, wanted_height_px: int | None) -> Plan:
        """Return the plan for an offer.

        What the offer says about its delivery is only a hint; what the host sends decides.

        Raises:
            NotMedia, LivePlaylist, DrmProtected, PlaylistRefused, SegmentGap: final.
            PlaylistBad, LinkExpired, OutsideNotFound and the other errors of the way out.
        """
        plan = self._by_delivery(offer, wanted_height_px)
        sidecars = tuple(
            TrackPlan(role="subtitles", segments=(Segment(url=item.url),), language=item.language, name=item.name)
            for item in offer.subtitles
        )
        length_s = plan.duration_s or offer.duration_s
        return replace(plan, tracks=plan.tracks + sidecars, duration_s=length_s, endless=bool(self._still))

    def _by_delivery(self, offer: FilmSource, wanted_height_px: int | None) -> Plan:
        if offer.delivery != "progressive":
            try:
                loaded = self._text(offer.url)
            except PlaylistRefused:
                loaded = None  # no list is that long: perhaps the film itself
            if loaded is not None and (plan := self._listed(loaded, wanted_height_px)) is not None:
                return plan
            if loaded is not None and loaded.text.lstrip("\ufeff \t\r\n")[:1] in ("", "<", "{"):
                raise PlaylistBad(f"{shown(offer.url)}: instead of a playlist came {_words(loaded.text)}.")
        head = self.taken(Piece(url=offer.url, start=0), at_most=_PROBE_BYTES)
        start = bytes(_held(head)).removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith(b"#EXTM3U") or b"<MPD" in start[:4096]:
            plan = self._listed(self._text(offer.url), wanted_height_px)
            if plan is not None:
                return plan
        if start[:1] in (b"<", b"{", b""):
            raise NotMedia(f"{shown(offer.url)}: instead of a film came {instead_of_media(bytes(_held(head)))}.")
        return _file_plan(offer.url, head, offer.height_px)

    def _listed(self, loaded: _Loaded, wanted_height_px: int | None) -> Plan | None:
        if loaded.text.lstrip("\ufeff \t\r\n").startswith("#EXTM3U"):
            return self._hls(loaded, wanted_height_px)
        if "<MPD" not in loaded.text[:20_000]:
            return None
        return parse_mpd(loaded.text, loaded.url, wanted_height_px, cut=self._split)

    def _split(self, track: TrackPlan) -> TrackPlan:
        """Return a track with its single file cut into ranges: into its segments when the file lists them itself."""
        if track.shape != "file":
            return track
        url = track.segments[0].url
        head = self.taken(Piece(url=url, start=0), at_most=_PROBE_BYTES)
        whole = replace(track, file_bytes=head.total, file_version=head.body.version)
        first, *rest = pieces = _file_pieces(url, head)
        if first.length is not None and head.total is not None:

            def read(offset: int, length: int) -> bytes:
                held = _held(head)
                if offset + length > len(held):
                    held = _held(self.taken(Piece(url=url, start=offset, length=length)))
                    offset = 0
                return bytes(held[offset : offset + length])

            if listed := segments_by_index(url, read, head.total):
                return replace(whole, shape="segments", segments=listed)
        pieces = (replace(first, duration_s=track.duration_s()), *rest)
        return replace(whole, segments=pieces)

    def _hls(self, loaded: _Loaded, wanted_height_px: int | None) -> Plan:
        listed = self._read(loaded)
        if isinstance(listed, Media):
            return _plan((self._whole(TrackPlan(role="muxed", segments=listed.segments)),))
        variant, media = self._open_variant(listed, wanted_height_px)
        role, others = self._renditions(listed, variant)
        main = TrackPlan(
            role=role,
            segments=media.segments,
            height_px=variant.height_px,
            bandwidth=variant.bandwidth or None,
        )
        return _plan((self._whole(main), *others))

    def _open_variant(self, master: Master, wanted_height_px: int | None) -> tuple[Variant, Media]:
        """Return the quality to fetch: the best fitting one that no DRM system locks."""
        while True:
            variant = chosen_variant(master, wanted_height_px)
            try:
                return variant, self._media(variant.url, wanted_height_px)
            except DrmProtected:
                others = tuple(one for one in master.variants if one.url != variant.url)
                if not others or len(others) > _MAX_QUALITIES:
                    raise
            log.info("locked_quality_left_out", height_px=variant.height_px)
            master = replace(master, variants=others)

    def _whole(self, track: TrackPlan) -> TrackPlan:
        """Return a track; one that is a single long segment is fetched in ranges, as a file."""
        (first, *rest) = track.segments
        if rest or first.key_url or first.length is not None or 0 < first.duration_s < _LONG_SEGMENT_S:
            return track
        return self._split(replace(track, shape="file"))

    def _renditions(self, master: Master, variant: Variant) -> tuple[Role, tuple[TrackPlan, ...]]:
        sounds = chosen_renditions(master, variant, "AUDIO")
        separate = [item for item in sounds if item.url is not None][:_MAX_RENDITIONS]
        role: Role = "video" if separate and len(separate) == len(sounds) else "muxed"
        tracks: list[TrackPlan] = []
        for item in separate:
            try:
                tracks.append(self._rendition(item, "audio"))
            except DrmProtected:
                if item is separate[-1] and not tracks and role == "video":
                    raise
                log.info("locked_sound_left_out", language=item.language)
        for item in chosen_renditions(master, variant, "SUBTITLES")[:_MAX_RENDITIONS]:
            if item.url is None:
                continue
            try:
                tracks.append(self._rendition(item, "subtitles"))
            except KinodomError as exc:
                log.warning("subtitles_left_out", language=item.language, error=str(exc))
        return role, tuple(tracks)

    def _rendition(self, rendition: Rendition, role: Role) -> TrackPlan:
        listed = self._media(rendition.url or "", None).segments
        return TrackPlan(
            role=role,
            # Where no subtitles are nothing is missing: that is most of a film in any case.
            segments=tuple(one for one in listed if not one.gap) if role == "subtitles" else listed,
            language=rendition.language,
            name=rendition.name,
        )

    def _media(self, url: str, wanted_height_px: int | None) -> Media:
        for _ in range(_MAX_DEPTH):
            loaded = self._text(url)
            listed = self._read(loaded)
            if isinstance(listed, Media):
                return listed
            url = chosen_variant(listed, wanted_height_px).url
        raise PlaylistRefused("The playlists lead from one to the next without end.")

    def _read(self, loaded: _Loaded) -> Master | Media:
        """Return what a playlist lists. One without an end is whole when it stays the same for three target durations.

        Only the first one of a film is waited for; a source that forgets the end forgets it everywhere.
        """
        try:
            return parse_playlist(loaded.text, loaded.url)
        except LivePlaylist:
            wait_s = min(target_s(loaded.text), self.line.watch.limits.still_s)
            for _ in range(0 if self._still else 3):
                self.pause(wait_s)
                if self._text(loaded.url).text != loaded.text:
                    raise
        self._still.add(loaded.url)
        log.info("playlist_without_end_taken", target_s=wait_s)
        return parse_playlist(loaded.text, loaded.url, is_whole=True)

    def _text(self, url: str) -> _Loaded:
        try:
            taken = self.taken(Piece(url=url))
        except OutsideTooLarge as exc:
            raise PlaylistRefused(f"{shown(url)}: the playlist is larger than {MAX_PLAYLIST_BYTES} bytes.") from exc
        try:
            held = bytes(_held(taken))
            packed = taken.encoding in ("gzip", "deflate") or held.startswith(b"\x1f\x8b")
            plain = unpacked(held, MAX_PLAYLIST_BYTES) if packed else held
        except NotThatMedia as exc:
            raise PlaylistBad(f"{shown(url)}: instead of a playlist came {exc}.") from exc
        return _Loaded(plain.decode("utf-8", "replace"), taken.url)

    def taken(self, piece: Piece, *, at_most: int | None = None, limit: int = MAX_PLAYLIST_BYTES) -> Taken:
        """Return what an address gives, in memory; tried several times."""
        for attempt in range(_ATTEMPTS):
            taken = Taken(body=MemoryBody(limit=limit))
            try:
                self.line.take(piece, taken, at_most=at_most)
                return taken
            except OutsideTooLarge:
                raise
            except UpstreamFailed as exc:
                status = exc.facts.get("status")
                if status in (401, 403):
                    raise LinkExpired(f"{shown(piece.url)}: the host does not let us in any more ({status}).") from exc
                if attempt + 1 == _ATTEMPTS or (isinstance(exc, OutsideBadStatus) and not _passes(status)):
                    raise
                asked_s = exc.facts.get("retry_after_s")
                wait_s = asked_s if isinstance(asked_s, float) else 0.2 * 2**attempt
                self.pause(min(wait_s, 10.0) * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, no secret
        raise AssertionError("the last attempt returns or raises")


def _passes(status: object) -> bool:
    return isinstance(status, int) and (status >= 500 or status in (408, 425, 429))


def _held(taken: Taken) -> bytearray:
    assert isinstance(taken.body, MemoryBody)
    return taken.body.held


def _words(text: str) -> str:
    return instead_of_media(text[:2000].encode())


def _plan(tracks: tuple[TrackPlan, ...]) -> Plan:
    duration_s = max(track.duration_s() for track in tracks if track.role != "subtitles")
    bandwidth = tracks[0].bandwidth
    return Plan(
        tracks=tracks,
        duration_s=duration_s or None,
        total_bytes=int(bandwidth * duration_s / 8) if bandwidth and duration_s else None,
    )


def _file_pieces(url: str, head: Taken) -> tuple[Segment, ...]:
    """Return the ranges of a single file, or the file as one piece when its host serves no ranges."""
    if head.total is None or not head.ranges or head.encoding:
        return (Segment(url=url),)
    return tuple(
        Segment(url=url, offset=offset, length=min(CHUNK_BYTES, head.total - offset))
        for offset in range(0, head.total, CHUNK_BYTES)
    )


def _file_plan(url: str, head: Taken, height_px: int | None) -> Plan:
    pieces = _file_pieces(url, head)
    track = TrackPlan(
        role="muxed",
        segments=pieces,
        shape="file",
        height_px=height_px,
        file_bytes=head.total,
        file_version=head.body.version,
    )
    return Plan(tracks=(track,), duration_s=None, total_bytes=head.total)
