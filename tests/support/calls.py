"""Every connection that this process opens, as the interpreter itself tells of it; and names that all lead home."""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_listening: list[list[object]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        for calls in _listening:
            calls.append(arguments[1])


_begin = functools.cache(lambda: sys.addaudithook(_hear))  # a hook cannot be taken away again


@contextmanager
def connections() -> Iterator[list[object]]:
    """Yield the list of the addresses that anything in this process connects to, or tries to, within a block."""
    _begin()
    calls: list[object] = []
    _listening.append(calls)
    try:
        yield calls
    finally:
        _listening[:] = [one for one in _listening if one is not calls]


def leads_home(
    name: str, port: int, *_: object, **__: object
) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
    """Look a name up like `socket.getaddrinfo`, without asking anybody: every name is that of this machine."""
    address = name
    with contextlib.suppress(OSError):
        return [  # an address stays one
            (family, kind, proto, canon, (str(found[0]), int(found[1])))
            for family, kind, proto, canon, found in socket.getaddrinfo(
                address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        ]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]
