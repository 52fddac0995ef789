"""Open connections to media hosts, kept from one piece to the next.

Each thread has its own as long as nobody counts them. With a limit for each host the threads of a film share them, and
all films of the house share the limit: it is locks on files in a folder that all workers see. Whoever dies lets go.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from kinodom_common.egress import guarded_connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kinodom_common.egress import EgressRules, GuardedConnection, Target
    from kinodom_downloader.adapters.patience import Watch

_MOST_HOSTS: Final = 4  # that one thread keeps a connection to
_NAMES: Final = 4096  # of lock files for each number: hosts come and go, and no file is ever taken away
_LOOK_S: Final = 0.1  # so soon it is noticed that another process has let go
_STAND_BACK_S: Final = 3 * _LOOK_S  # so long others have the first claim to what was let go for them
_IDLE_S: Final = 2.0


class Connections(Protocol):
    """Where a thread gets its connections from."""

    def get(
        self, target: Target, watch: Watch, *, urgency: float = 0.0, waits: bool = True
    ) -> GuardedConnection | None:
        """Return a connection for one request, perhaps open; None when none is free and nobody `waits`."""

    def keep(self, target: Target, connection: GuardedConnection) -> None:
        """Take a connection back whose answer was read to its end."""

    def drop(self, target: Target, connection: GuardedConnection) -> None:
        """Close a connection that is of no more use."""

    def close(self) -> None:
        """Close all connections that are not in use."""


@dataclass(slots=True)
class OwnConnections:
    """Of one thread: one for each host."""

    rules: EgressRules
    _open: dict[tuple[str, str, int], GuardedConnection] = field(default_factory=dict)

    def get(self, target: Target, watch: Watch, *, urgency: float = 0.0, waits: bool = True) -> GuardedConnection:  # noqa: ARG002 - nobody waits here
        """Return the kept connection, or a new one."""
        connection = self._open.pop(target.origin, None)
        if connection is None and len(self._open) >= _MOST_HOSTS:
            self.close()
        return _for(watch, connection or _new(target, watch, self.rules))

    def keep(self, target: Target, connection: GuardedConnection) -> None:
        """Keep it for the next request."""
        self._open[target.origin] = connection

    def drop(self, target: Target, connection: GuardedConnection) -> None:  # noqa: ARG002 - as in the protocol
        """Close it."""
        connection.close()

    def close(self) -> None:
        """Close all."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()


@dataclass(frozen=True, slots=True)
class HostSlots:
    """So many locks for each host, shared by all processes that see the folder."""

    folder: Path
    most: int

    def take(self, host: str) -> int | None:
        """Return a free slot of a host, to be closed; None when all are taken."""
        for number in range(self.most):
            handle = self._opened(host, str(number))
            if _locked(handle, fcntl.LOCK_EX):
                return handle
            os.close(handle)
        return None

    def claim(self, host: str) -> int:
        """Tell the others that a film has no slot of this host at all, until what is returned is closed."""
        handle = self._opened(host, "claim")
        fcntl.flock(handle, fcntl.LOCK_SH)
        return handle

    def is_claimed(self, host: str) -> bool:
        """Return whether a film that has no slot waits for one."""
        handle = self._opened(host, "claim")
        try:
            return not _locked(handle, fcntl.LOCK_EX)
        finally:
            os.close(handle)

    def _opened(self, host: str, name: str) -> int:
        number = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4]) % _NAMES
        path = self.folder / f"{number:03x}-{name}"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)


@dataclass(slots=True)
class _Host:
    """What this process has of one host."""

    idle: list[tuple[float, GuardedConnection]] = field(default_factory=list)  # since when
    slots: dict[GuardedConnection, int] = field(default_factory=dict)  # of those in use and idle
    waiting: list[tuple[float, int]] = field(default_factory=list)  # urgency and number
    claim: int | None = None
    stands_back_until_s: float = 0.0


@dataclass(slots=True)
class SharedConnections:
    """Of all threads of a process: no more to one host than there are slots, the most urgent request first.

    A film that has slots gives one up after a piece when another film has none.
    """

    rules: EgressRules
    slots: HostSlots
    _hosts: dict[tuple[str, str, int], _Host] = field(default_factory=dict)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Iterator[int] = field(default_factory=count)

    def get(
        self, target: Target, watch: Watch, *, urgency: float = 0.0, waits: bool = True
    ) -> GuardedConnection | None:
        """Return a kept connection, or a new one when a slot is free; waits for its turn, as long as `watch` allows."""
        with self._change:
            host = self._hosts.setdefault(target.origin, _Host())
            mine = (urgency, next(self._numbers))
            host.waiting.append(mine)
            try:
                while True:
                    watch.check()
                    if mine == min(host.waiting) and (found := self._found(target, watch, host)) is not None:
                        return _for(watch, found)
                    if not waits:
                        return None
                    self._change.wait(_LOOK_S)
            finally:
                host.waiting.remove(mine)
                self._say_no_more(host)
                self._change.notify_all()

    def keep(self, target: Target, connection: GuardedConnection) -> None:
        """Keep it for whoever is next; or let it go, when a film that has none waits for one."""
        if self.slots.is_claimed(_name(target.origin)):
            self._let_go(self._hosts[target.origin], connection, for_others=True)
            return
        with self._change:
            self._hosts[target.origin].idle.append((time.monotonic(), connection))
            self._change.notify_all()

    def drop(self, target: Target, connection: GuardedConnection) -> None:
        """Close it, and give its slot back."""
        self._let_go(self._hosts[target.origin], connection)

    def close(self) -> None:
        """Close all that are not in use."""
        self.tidy(idle_s=-1.0)

    def tidy(self, *, idle_s: float = _IDLE_S) -> None:
        """Close what has not been in use for a while, or what another film waits for."""
        with self._change:
            now_s = time.monotonic()
            for origin, host in self._hosts.items():
                all_of_it = bool(host.idle) and self.slots.is_claimed(_name(origin))
                for since_s, connection in list(host.idle):
                    if all_of_it or now_s - since_s > idle_s:
                        host.idle.remove((since_s, connection))
                        self._let_go(host, connection, for_others=all_of_it)

    def _found(self, target: Target, watch: Watch, host: _Host) -> GuardedConnection | None:
        if host.idle:
            return host.idle.pop()[1]
        if len(host.slots) >= self.slots.most or time.monotonic() < host.stands_back_until_s:
            return None
        name = _name(target.origin)
        slot = self.slots.take(name)
        if slot is None:
            if not host.slots and host.claim is None:
                host.claim = self.slots.claim(name)
            return None
        connection = _new(target, watch, self.rules)
        host.slots[connection] = slot
        return connection

    def _let_go(self, host: _Host, connection: GuardedConnection, *, for_others: bool = False) -> None:
        connection.close()
        with self._change:
            os.close(host.slots.pop(connection))
            if for_others:
                host.stands_back_until_s = time.monotonic() + _STAND_BACK_S
            self._change.notify_all()

    def _say_no_more(self, host: _Host) -> None:
        """Take the claim back once a slot is there, or nobody waits any more."""
        if host.claim is not None and (host.slots or not host.waiting):
            os.close(host.claim)
            host.claim = None


def _for(watch: Watch, connection: GuardedConnection) -> GuardedConnection:
    connection.patience = watch
    return connection


def _new(target: Target, watch: Watch, rules: EgressRules) -> GuardedConnection:
    return guarded_connection(
        target.scheme, target.host, target.port, rules=rules, patience=watch, connect_s=watch.limits.connect_s
    )


def _name(origin: tuple[str, str, int]) -> str:
    return f"{origin[1]}:{origin[2]}"


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
