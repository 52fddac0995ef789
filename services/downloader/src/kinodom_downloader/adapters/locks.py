"""Segments that are locked with AES-128 (RFC 8216, 4.3.2.4: CBC, PKCS7), opened step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain import gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.domain.gate import Payload

_BLOCK_BYTES: Final = 16


def unlock(body: Payload, into: Callable[[memoryview], object], *, key: bytes, iv_hex: str, room: memoryview) -> None:
    """Hand the bytes of a segment on, opened and without the padding, as many at a time as there is room.

    Args:
        body: as it came.
        into: takes bytes, which are gone after the call.
        key: 16 bytes.
        iv_hex: 32 digits.
        room: is written over; the more, the fewer steps.

    Raises:
        NotThatMedia: it is not locked, or not with this key.
    """
    if not len(body) or len(body) % 16:
        raise gate.NotThatMedia(gate.instead_of_media(body))
    # Few films are locked. (The package `cryptography` would bring an OpenSSL of its own, which takes 7 MB.)
    from Cryptodome.Cipher import AES

    opener = AES.new(key, AES.MODE_CBC, iv=bytes.fromhex(iv_hex))
    count = len(room) // _BLOCK_BYTES * _BLOCK_BYTES
    with memoryview(body) as locked:
        for start in range(0, len(locked), count):
            with locked[start : start + count] as step:
                plain = room[: len(step)]
                opener.decrypt(step, output=plain)
            is_last = start + count >= len(locked)
            into(memoryview(gate.unpadded(bytes(plain))) if is_last else plain)
