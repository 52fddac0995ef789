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
    # Its OpenSSL takes 7 MB, and few films are locked.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    opener = Cipher(algorithms.AES(key), modes.CBC(bytes.fromhex(iv_hex))).decryptor()
    count = len(room) // _BLOCK_BYTES * _BLOCK_BYTES - _BLOCK_BYTES  # `update_into` wants room for a block more
    with memoryview(body) as locked:
        for start in range(0, len(locked), count):
            with locked[start : start + count] as step:
                plain = room[: opener.update_into(step, room)]
            is_last = start + count >= len(locked)
            into(memoryview(gate.unpadded(bytes(plain))) if is_last else plain)
