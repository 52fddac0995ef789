"""Segments that are locked with AES-128 (RFC 8216, 4.3.2.4: CBC, PKCS7), opened step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain import gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinodom_downloader.domain.gate import Payload

_STEP_BYTES: Final = 262_144  # so that a long segment is never in memory as a whole


def unlocked(body: Payload, *, key: bytes, iv_hex: str) -> Iterator[bytes]:
    """Yield the bytes of a segment opened, in order and without the padding.

    Raises:
        NotThatMedia: it is not locked, or not with this key.
    """
    if not len(body) or len(body) % 16:
        raise gate.NotThatMedia(gate.instead_of_media(body))
    # Its OpenSSL takes 7 MB, and few films are locked.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    opener = Cipher(algorithms.AES(key), modes.CBC(bytes.fromhex(iv_hex))).decryptor()
    for start in range(0, len(body), _STEP_BYTES):
        plain = opener.update(body[start : start + _STEP_BYTES])
        yield plain if start + _STEP_BYTES < len(body) else gate.unpadded(plain)
