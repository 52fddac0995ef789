"""The check every piece passes before it counts: it is media, it is whole, and nothing else stands before it.

No answer is believed for its status or its type: a login page with status 200 must never end up in a film.
"""

from __future__ import annotations

import mmap
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from kinodom_downloader.domain.faults import DrmProtected

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["ts", "fmp4", "aac", "webm", "vtt", "srt", "ttml"]
FileKind = Literal["mp4", "webm", "ts"]
Payload = bytes | mmap.mmap

MAX_UNPACKED_BYTES: Final = 67_108_864
_MAX_FAKE_HEADER_BYTES: Final = 1_000_000
_TS_PACKET: Final = 188
_IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")
_BOXES: Final = frozenset(
    b"ftyp styp moof moov mdat sidx ssix emsg prft free skip wide uuid pdin meta mfra imda".split()
)
_LEADING_BOX: Final = re.compile(rb"ftyp|styp|moof|moov|sidx|emsg|prft")
_SRT_CUE: Final = re.compile(rb"\d{1,3}:\d\d:\d\d[,.]\d{1,3}[ \t]*-->")
_TTML: Final = re.compile(rb"<(?:[A-Za-z]+:)?tt[\s>][^>]*www\.w3\.org/(?:ns/ttml|2006/\d\d/ttaf1)")
_GZIP: Final = b"\x1f\x8b\x08"


class NotThatMedia(Exception):
    """The bytes are not what they should be; the text says what they are instead. Turned into SegmentBad by name."""


class NotThatKey(NotThatMedia):
    """What came for a key is none. Turned into KeyBad by name."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Bytes that passed."""

    payload: Payload
    kind: Kind


def unpacked(body: Payload, max_bytes: int = MAX_UNPACKED_BYTES) -> bytes:
    """Return what a gzip'd or deflated body holds.

    Raises:
        NotThatMedia: damaged, cut, or larger than `max_bytes`.
    """
    unpacker = zlib.decompressobj(47)
    try:
        plain = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise NotThatMedia("a damaged gzip file") from exc
    if len(plain) > max_bytes:
        raise NotThatMedia("a gzip file that unpacks without end")
    if not unpacker.eof:
        raise NotThatMedia("a gzip file that was cut off")
    return plain


def unpadded(plain: bytes) -> bytes:
    """Return decrypted bytes without their PKCS7 padding.

    Raises:
        NotThatMedia: the padding is wrong, so the key, the vector or the bytes are.
    """
    count = plain[-1] if plain else 0
    if not 1 <= count <= 16 or plain[-count:] != bytes([count]) * count:
        raise NotThatMedia("something that its key does not open (wrong padding)")
    return plain[:-count]


def check_key(body: bytes) -> bytes:
    """Return a key of AES-128.

    Raises:
        NotThatKey: it is not 16 bytes long.
    """
    if len(body) != 16:
        raise NotThatKey(f"{len(body)} bytes for a key, not 16" if len(body) < 64 else instead_of_media(body))
    return body


def check_subtitles(body: Payload) -> Checked:
    """Return subtitles, or a segment of them.

    Raises:
        NotThatMedia: neither WebVTT nor SRT nor TTML, nor MP4 that may hold them.
    """
    plain = unpacked(body) if body[: len(_GZIP)] == _GZIP else body[:]
    text = plain.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"WEBVTT"):
        return Checked(plain, "vtt")
    if _SRT_CUE.search(text[:100_000]):
        return Checked(plain, "srt")
    if text.startswith(b"<") and _TTML.search(text[:4096]):
        return Checked(plain, "ttml")
    if is_boxes(plain):
        return Checked(plain, "fmp4")
    raise NotThatMedia(instead_of_media(body))


def check_piece(body: Payload, *, is_init: bool = False) -> Checked:
    """Return a segment or an init section without fake headers, and what it is.

    Raises:
        NotThatMedia: anything else.
        DrmProtected: an init section that says that its samples are locked.
    """
    payload = unpacked(body) if body[: len(_GZIP)] == _GZIP else body
    kind = _kind(payload)
    if kind is None and payload[:8].startswith(_IMAGES):
        payload = _behind_image(payload)
        kind = _kind(payload)
    if kind is None:
        raise NotThatMedia(instead_of_media(payload))
    if is_init:
        _check_init(payload, kind)
    return Checked(payload, kind)


def check_range(payload: bytes | bytearray) -> None:
    """Pass when a range from within a file does not look like the beginning of one, or like a page.

    Raises:
        NotThatMedia: the host ignored the position that was asked for, or sent a page.
    """
    head = bytes(payload[:256])
    if head[4:8] == b"ftyp" or (head.startswith(b"\x1a\x45\xdf\xa3") and (b"webm" in head or b"matroska" in head)):
        raise NotThatMedia("the beginning of the file instead of a later part")
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise NotThatMedia(instead_of_media(head))


def check_against(found: Kind, expected: Kind | None) -> None:
    """Pass when a piece is of the kind of the others of its track.

    Raises:
        NotThatMedia: it is another one.
    """
    if expected is not None and found != expected:
        raise NotThatMedia(f"a piece of another kind ({found} among {expected})")


def _kind(payload: Payload) -> Kind | None:
    if is_ts(payload):
        return "ts"
    if is_boxes(payload):
        return "fmp4"
    head = payload[:1000]
    if head.startswith((b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75")):  # EBML header, cluster
        return "webm"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"WEBVTT"):
        return "vtt"
    sound = _behind_id3(payload)
    if len(sound) > 2 and sound[0] == 0xFF and sound[1] & 0xF6 == 0xF0:
        return "aac"
    return None


def is_ts(payload: Payload) -> bool:
    """Return whether these are whole packets of MPEG-TS: the sync byte every 188, and nothing over."""
    count, rest = divmod(len(payload), _TS_PACKET)
    return count > 0 and rest == 0 and payload[::_TS_PACKET].count(0x47) == count


def is_boxes(payload: Payload) -> bool:
    """Return whether these are ISO boxes that end exactly at the end, each `moof` with its `mdat`."""
    return boxes_fit(lambda position, count: payload[position : position + count], len(payload))


def boxes_fit(read: Callable[[int, int], bytes], length: int) -> bool:
    """Return whether ISO boxes (ISO 14496-12, 4.2) end exactly at `length`.

    Args:
        read: gives the bytes at a position; called for the headers only.
        length: of the whole, bytes.
    """
    position, moofs, mdats = 0, 0, 0
    while position < length:
        header = read(position, 16)
        size, name = int.from_bytes(header[:4]), header[4:8]
        if len(header) < 8 or name not in _BOXES:
            return False
        if size == 1:
            size = int.from_bytes(header[8:16])
        elif size == 0:
            size = length - position
        if size < 8 or position + size > length:
            return False
        moofs += name == b"moof"
        mdats += name in (b"mdat", b"imda")
        position += size
    return length > 0 and moofs <= mdats


def container_of_file(read: Callable[[int, int], bytes], length: int) -> FileKind:
    """Return what a whole single file is.

    Raises:
        NotThatMedia: no container that can be packaged, or it does not end where it should.
    """
    head = read(0, 4096)
    if head[4:8] in (b"ftyp", b"moov", b"styp") or boxes_fit(read, length):
        if not boxes_fit(read, length):
            raise NotThatMedia("an MP4 file that is not whole")
        return "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        if not _webm_fits(head, length):
            raise NotThatMedia("a WebM file that is not whole")
        return "webm"
    if length >= _TS_PACKET and head[::_TS_PACKET].count(0x47) == len(head[::_TS_PACKET]):
        return "ts"
    raise NotThatMedia(instead_of_media(head))


def _webm_fits(head: bytes, length: int) -> bool:
    """Return whether a WebM file reaches the end that its first segment states (RFC 8794, 4); unstated: it does."""
    after_header = _ebml_size(head, 4)
    if after_header is None:
        return True
    at = after_header[0] + after_header[1]
    segment = _ebml_size(head, at + 4) if head[at : at + 4] == b"\x18\x53\x80\x67" else None
    return segment is None or sum(segment) <= length


def _ebml_size(head: bytes, at: int) -> tuple[int, int] | None:
    """Return where an element's content begins and its size; None: unknown."""
    if at >= len(head) or head[at] == 0:
        return None
    width = 9 - head[at].bit_length()
    every_bit = (1 << 7 * width) - 1
    size = int.from_bytes(head[at : at + width]) & every_bit
    return None if size == every_bit else (at + width, size)


def _behind_id3(payload: Payload) -> bytes:
    """Return the first bytes after a tag in front."""
    head = payload[:10]
    if not head.startswith(b"ID3") or len(head) < 10:
        return head
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return payload[10 + size : 20 + size]


def _behind_image(whole: Payload) -> bytes:
    """Return the media behind a fake image header: the first place from which everything fits to the end."""
    payload = whole[:]
    limit = min(len(payload), _MAX_FAKE_HEADER_BYTES)
    start = payload.find(b"\x47", 1)
    while 0 < start < limit:
        fits = (len(payload) - start) % _TS_PACKET == 0 and payload[start + 3] & 0x30  # 0 there is reserved
        if fits and is_ts(payload[start:]):
            return payload[start:]
        start = payload.find(b"\x47", start + 1)
    for match in _LEADING_BOX.finditer(payload, 4, limit):
        if is_boxes(payload[match.start() - 4 :]):
            return payload[match.start() - 4 :]
    raise NotThatMedia("a picture")


def _check_init(whole: Payload, kind: Kind) -> None:
    payload = whole[:]
    if kind == "fmp4" and b"moov" not in payload:
        raise NotThatMedia("an init section without a header (moov)")
    if kind == "fmp4" and (b"encv" in payload or b"enca" in payload or b"pssh" in payload):
        raise DrmProtected("The film is locked by a DRM system. The house does not open such locks.")


def instead_of_media(payload: Payload) -> str:
    """Return in words what came instead of media."""
    head = payload[:2000].lstrip().lower()
    if not len(payload):
        return "nothing (0 bytes)"
    if head.startswith(b"\xef\xbb\xbf"):
        head = head[3:]
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head:
        return "a web page (perhaps a login page)"
    if head.startswith(b"#extm3u"):
        return "a playlist"
    if head.startswith((b"{", b"[")):
        return "a message in JSON"
    if head.startswith(b"<"):
        return "an XML document"
    if payload[:1] == b"\x47":
        return "a part of an MPEG-TS segment that was cut off or damaged"
    if payload[4:8] in _BOXES:
        return "a part of an MP4 segment that was cut off or damaged"
    return f"{len(payload)} bytes that are no media"
