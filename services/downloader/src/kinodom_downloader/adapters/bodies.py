"""What is asked of a media host, and where the bytes of its answer go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What to fetch: a whole answer, or `length` bytes from `start`."""

    url: str
    start: int | None = None
    length: int | None = None


class Body(Protocol):
    """Where the bytes of an answer go."""

    limit: int  # an answer with more bytes is refused
    version: str  # of the file they are from; see `version_of`

    def __len__(self) -> int:
        """Return how many bytes came."""

    def add(self, piece: memoryview) -> None:
        """Append bytes."""

    def cut(self, length: int) -> None:
        """Forget all bytes from this position on."""

    def close(self) -> None:
        """Let go of files until more bytes come."""


@dataclass(slots=True)
class MemoryBody:
    """Bytes in memory."""

    limit: int = 134_217_728
    version: str = ""
    held: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return len(self.held)

    def add(self, piece: memoryview) -> None:
        """Append bytes."""
        self.held += piece

    def cut(self, length: int) -> None:
        """Forget all bytes from this position on."""
        del self.held[length:]

    def close(self) -> None:
        """Do nothing: there is no file."""


@dataclass(slots=True)
class Taken:
    """What came so far; kept between attempts, so that a cut answer goes on where it was cut."""

    body: Body = field(default_factory=MemoryBody)
    encoding: str = ""
    declared: bool = False  # the host said how long it is, and so long it was
    ranges: bool = False  # the host answers ranges
    total: int | None = None  # of the whole file, when a range was answered
    url: str = ""  # after redirects
