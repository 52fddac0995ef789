"""Sources that do as they are told, and an inbox and a clock without waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_resolver.domain.ports import Listed, QueryKind
from kinodom_resolver.domain.wall import Answer


def hit(external_id: str, name: str = "A film") -> TitleHit:
    """Return a search hit."""
    return TitleHit(external_id=external_id, name=name, source="somebody")


class FakeSource:
    """Answers with what it is given; an exception is raised, a function is called."""

    def __init__(
        self,
        name: str,
        answer: Any = (),
        *,
        weight: int = 10,
        reads: frozenset[QueryKind] = frozenset({"words"}),
    ) -> None:
        self.name = name
        self.label = name.title()
        self.schemes = frozenset({name})
        self.weight = weight
        self.reads = reads
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []

    def _tell(self, *question: object) -> Any:
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer

    def search(self, query: str) -> Sequence[TitleHit]:
        """Answer a search."""
        told: Sequence[TitleHit] = self._tell(query)
        return told

    def title(self, external_id: str) -> SourceTitle:
        """Answer for a title."""
        told: SourceTitle = self._tell(external_id)
        return told

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Answer for an episode."""
        told: Sequence[Offer] = self._tell(external_id, season, episode, translation_id)
        return told


class Hanging:
    """An answer that does not come before it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> Sequence[TitleHit]:
        """Wait to be let go."""
        self.begun.set()
        self.let_go.wait(60)
        return ()


class StillClock:
    """A clock that moves only when somebody waits in vain."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Return the time, seconds."""
        return self.now_s


class PatientInbox:
    """Gives so many answers however long they take by the real clock; a wait after them takes its full time at once."""

    def __init__(self, clock: StillClock, expected: int) -> None:
        self._clock = clock
        self._left = expected
        self._items: queue.SimpleQueue[tuple[str, Answer]] = queue.SimpleQueue()

    def put(self, item: tuple[str, Answer]) -> None:
        """Leave an answer."""
        self._items.put(item)

    def get(self, *, timeout: float) -> tuple[str, Answer]:
        """Return the next answer, or let the clock run and raise `queue.Empty`."""
        if self._left == 0:
            self._clock.now_s += timeout
            raise queue.Empty
        self._left -= 1
        return self._items.get(timeout=60)


def listed(*sources: FakeSource) -> list[Listed]:
    """Return sources as they stand in a service where all are switched on."""
    return [Listed(name=one.name, label=one.label, weight=one.weight, source=one) for one in sources]


def film(external_id: str) -> SourceTitle:
    """Return a film in one version."""
    version = Translation(translation_id="original", name="Original", episodes=(EpisodeRef(),))
    return SourceTitle(source="x", card=TitleCard(external_id=external_id, name="A film"), translations=(version,))
