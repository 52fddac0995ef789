"""Segments that are locked with AES-128 (RFC 8216, 4.3.2.4: CBC, PKCS7), opened step by step.

Python has an OpenSSL in the process, which opens 10 GB a second and takes no memory that is not taken already. Where
its functions cannot be called, PyCryptodome does the same at half a gigabyte a second.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from kinodom_downloader.domain import gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_downloader.domain.gate import Payload

    Opener = Callable[[memoryview], memoryview]
    """Takes whole blocks, and returns them opened: in the room, where the next step writes over them."""

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
    opened = _opened_by_openssl if _openssl() is not None else _opened_by_cryptodome
    count = len(room) // _BLOCK_BYTES * _BLOCK_BYTES
    with memoryview(body) as locked, opened(key, bytes.fromhex(iv_hex), room) as opener:
        for start in range(0, len(locked), count):
            with locked[start : start + count] as step:
                plain = opener(step)
            is_last = start + count >= len(locked)
            into(memoryview(gate.unpadded(bytes(plain))) if is_last else plain)


@cache
def _openssl() -> Any | None:
    """Return the OpenSSL that Python itself uses, found through the module that is linked with it; None: not there."""
    import _ssl
    import ctypes

    pointer, number = ctypes.c_void_p, ctypes.c_int
    try:
        library = ctypes.CDLL(getattr(_ssl, "__file__", None))
        for name, result, arguments in (
            ("EVP_CIPHER_CTX_new", pointer, ()),
            ("EVP_CIPHER_CTX_free", None, (pointer,)),
            ("EVP_CIPHER_CTX_set_padding", number, (pointer, number)),
            ("EVP_aes_128_cbc", pointer, ()),
            ("EVP_DecryptInit_ex", number, (pointer, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p)),
            ("EVP_DecryptUpdate", number, (pointer, pointer, ctypes.POINTER(number), pointer, number)),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return library


@contextmanager
def _opened_by_openssl(key: bytes, vector: bytes, room: memoryview) -> Iterator[Opener]:
    import ctypes

    library, written = _openssl(), ctypes.c_int()
    assert library is not None
    at = ctypes.addressof(ctypes.c_char.from_buffer(room))

    def opener(step: memoryview) -> memoryview:
        count = len(step)
        room[:count] = step
        good = library.EVP_DecryptUpdate(context, at, ctypes.byref(written), at, count)
        if good != 1 or written.value != count:
            raise gate.NotThatMedia("something that OpenSSL does not open")
        return room[:count]

    context = library.EVP_CIPHER_CTX_new()
    try:
        library.EVP_DecryptInit_ex(context, library.EVP_aes_128_cbc(), None, key, vector)
        library.EVP_CIPHER_CTX_set_padding(context, 0)  # `unlock` looks at it
        yield opener
    finally:
        library.EVP_CIPHER_CTX_free(context)


@contextmanager
def _opened_by_cryptodome(key: bytes, vector: bytes, room: memoryview) -> Iterator[Opener]:
    from Cryptodome.Cipher import AES

    cipher = AES.new(key, AES.MODE_CBC, iv=vector)

    def opener(step: memoryview) -> memoryview:
        plain = room[: len(step)]
        cipher.decrypt(step, output=plain)
        return plain

    yield opener
