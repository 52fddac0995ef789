"""What this process does to the world, as the interpreter itself tells of it; and names that all lead home."""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_listening: list[tuple[tuple[str, ...], list[Any]]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    for events, heard in _listening:
        if event in events:
            heard.append(arguments[1])


_begin = functools.cache(lambda: sys.addaudithook(_hear))  # a hook cannot be taken away again


@contextmanager
def _heard(*events: str) -> Iterator[list[Any]]:
    _begin()
    entry: tuple[tuple[str, ...], list[Any]] = (events, [])
    _listening.append(entry)
    try:
        yield entry[1]
    finally:
        _listening[:] = [one for one in _listening if one is not entry]


@contextmanager
def connections() -> Iterator[list[object]]:
    """Yield the list of the addresses that anything in this process connects to, or tries to, within a block."""
    with _heard("socket.connect", "socket.sendto") as calls:
        yield calls


@contextmanager
def programs() -> Iterator[list[list[str]]]:
    """Yield the list of the words with which anything in this process starts a program within a block."""
    with _heard("subprocess.Popen", "os.posix_spawn", "os.exec") as started:
        yield started


def leads_home(
    name: str, port: int, *_: object, **__: object
) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
    """Look a name up like `socket.getaddrinfo`, without asking anybody: every name is that of this machine."""
    with contextlib.suppress(OSError):
        return [  # an address stays one
            (family, kind, proto, canon, (str(found[0]), int(found[1])))
            for family, kind, proto, canon, found in socket.getaddrinfo(
                name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        ]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]
