"""Small fakes and makers for tests of the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kinodom_catalogue.domain.ports import ProviderFacts, Wanted
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a `timedelta` of these."""
        self.now += timedelta(**span)


class FakeHints:
    """Remembers what was hinted."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []

    def enrich(self, title_id: str, tries: int) -> None:
        self.given.append((title_id, tries))


class FakeProvider:
    """Says what it is told to say."""

    def __init__(self, says: ProviderFacts | Exception | None = None) -> None:
        self.says = says
        self.asked: list[Wanted] = []

    def find(self, wanted: Wanted) -> ProviderFacts | None:
        self.asked.append(wanted)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class FakeCovers:
    """Keeps nothing, and says what it is told to say."""

    def __init__(self, says: str | Exception | None = "cover.jpg") -> None:
        self.says = says
        self.asked: list[str] = []

    def keep(self, url: str) -> str | None:
        self.asked.append(url)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def video_id(number: int) -> str:
    """Return a video's id."""
    return f"{number:064x}"


def card(external_id: str = "ia:metropolis", name: str = "Metropolis", **more: Any) -> TitleCard:
    """Return what a source says of a title."""
    return TitleCard(external_id=external_id, name=name, **more)


def video_in(title: TitleCard | None = None, **more: Any) -> VideoIn:
    """Return what the downloader tells of a folder."""
    title = title or card()
    whole: dict[str, Any] = {
        "title": title,
        "external_id": title.external_id,
        "duration_s": 90.5,
        "size_bytes": 1000,
        "published_at": NOW,
    }
    return VideoIn(**(whole | more))
