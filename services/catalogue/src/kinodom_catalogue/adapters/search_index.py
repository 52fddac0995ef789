"""Search over the names of titles, in memory: typos, both alphabets, partial words, the wrong keyboard layout.

The index is built from the store at the first question and brought up to date when the store's mark has moved.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from rapidfuzz import process
from rapidfuzz.distance import OSA

from kinodom_catalogue.adapters.shelf import Mark, StoreShelf
from kinodom_catalogue.domain.ports import StoredTitle
from kinodom_catalogue.domain.words import folded, other_layout, words_of

_OVERLAP = timedelta(minutes=2)  # a writer stamps its document before it is written; clocks differ a little
_QUERY_WORDS = 12
_FOUND = 500
_WRONG_LAYOUT = 0.9
_SAME_ALPHABET = 0.02  # settles who comes first when both spellings are in the house


class NameIndex:
    """Words of names, and the titles they stand in."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, ...]] = {}  # title id: folded names
        self._titles_of: defaultdict[str, set[str]] = defaultdict(set)  # word: title ids
        self._words: dict[str, set[str]] = {}  # title id: words of its names, and its year
        self._alphabets: dict[str, frozenset[str]] = {}  # title id: of its first name
        self._order: dict[str, tuple[int, str]] = {}  # title id: what settles ties

    def put(self, stored: StoredTitle) -> None:
        """Add a title, or replace what was known of it."""
        title = stored.title
        self.drop(title.title_id)
        names = dict.fromkeys(folded(name) for name in (title.name, title.original_name, *stored.other_names) if name)
        self._names[title.title_id] = tuple(name for name in names if name)
        self._order[title.title_id] = (-(title.year or 0), title.title_id)
        self._words[title.title_id] = {word for name in names for word in name.split()}
        self._words[title.title_id] |= {str(title.year)} if title.year else set()
        self._alphabets[title.title_id] = alphabets(title.name)
        for word in self._words[title.title_id]:
            self._titles_of[word].add(title.title_id)

    def drop(self, title_id: str) -> None:
        """Forget a title."""
        for word in self._words.pop(title_id, ()):
            holders = self._titles_of[word]
            holders.discard(title_id)
            if not holders:
                del self._titles_of[word]
        self._names.pop(title_id, None)
        self._alphabets.pop(title_id, None)
        self._order.pop(title_id, None)

    def best(self, query: str) -> list[str]:
        """Return the ids of the titles that fit, the best first."""
        scores: dict[str, float] = {}
        for weight, text in ((1.0, query), (_WRONG_LAYOUT, other_layout(query))):
            for title_id, score in self._scores(words_of(text)[:_QUERY_WORDS]).items():
                scores[title_id] = max(scores.get(title_id, 0.0), weight * score)
        asked = alphabets(query)
        for title_id in scores:
            scores[title_id] += _SAME_ALPHABET * bool(asked & self._alphabets[title_id])
        ranked = sorted(scores, key=lambda title_id: (-round(scores[title_id], 4), *self._order[title_id]))
        return ranked[:_FOUND]

    def _scores(self, asked: Sequence[str]) -> dict[str, float]:
        if not asked:
            return {}
        sums: defaultdict[str, float] = defaultdict(float)
        hits: defaultdict[str, int] = defaultdict(int)
        for word in asked:
            best: dict[str, float] = {}
            for known, score in self._fitting(word).items():
                for title_id in self._titles_of[known]:
                    best[title_id] = max(best.get(title_id, 0.0), score)
            for title_id, score in best.items():
                sums[title_id] += score
                hits[title_id] += 1
        needed = len(asked) if len(asked) < 3 else len(asked) - 1  # one strange word among several is forgiven
        text = " ".join(asked)
        return {
            title_id: sums[title_id] / len(asked) + self._bonus(text, title_id)
            for title_id, count in hits.items()
            if count >= needed
        }

    def _fitting(self, word: str) -> dict[str, float]:
        """Return the known words that a typed word may mean, each with a score up to 1."""
        found: dict[str, float] = {}
        for known in self._titles_of:
            if known == word:
                found[known] = 1.0
            elif known.startswith(word):
                found[known] = 0.85 + 0.1 * len(word) / len(known)
            elif len(word) >= 3 and word in known:
                found[known] = 0.7
        allowed = 0 if len(word) < 4 or word.isdigit() else 1 if len(word) < 7 else 2
        if allowed:
            for known, distance, _ in process.extract(
                word, self._titles_of.keys(), scorer=OSA.distance, score_cutoff=allowed, limit=None
            ):
                if not known.isdigit():
                    found[known] = max(found.get(known, 0.0), 0.85 - 0.15 * distance)
            for known in self._titles_of:  # the beginning of a word, with a typo in it
                if known not in found and len(known) > len(word) >= 5 and OSA.distance(word, known[: len(word)]) == 1:
                    found[known] = 0.6
        return found

    def _bonus(self, text: str, title_id: str) -> float:
        """Return what a title gets when the whole name, or its beginning, is what was typed."""
        names = self._names[title_id]
        if text in names:
            return 0.3
        begun = [len(name) for name in names if name.startswith(text)]
        if begun:
            return 0.15 + 0.1 * len(text) / min(begun)
        shortest = min((len(name) for name in names), default=1)
        return 0.1 * min(1.0, len(text) / max(1, shortest))


def alphabets(text: str) -> frozenset[str]:
    """Return which of the two alphabets a text uses."""
    found = {"cyrillic" if "\u0400" <= char <= "\u04ff" else "latin" for char in text if char.isalpha()}
    return frozenset(found)


class FreshIndex:
    """A NameIndex that follows the store."""

    def __init__(self, shelf: StoreShelf, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._lock = threading.Lock()
        self._index = NameIndex()
        self._mark: Mark | None = None  # None: nothing was read yet
        self._read_at: datetime | None = None

    def best(self, query: str) -> Sequence[str]:
        """Return the ids of the titles that fit, the best first, as the store stands now."""
        with self._lock:
            self._follow()
            return self._index.best(query)

    def _follow(self) -> None:
        mark = self._shelf.mark()
        if mark == self._mark:
            return
        begin = self._clock()
        if self._mark is None or mark.deletions != self._mark.deletions:
            index, since = NameIndex(), None
        else:
            index, since = self._index, None if self._read_at is None else self._read_at - _OVERLAP
        for stored in self._shelf.touched_since(since):
            index.put(stored)
        self._index, self._mark, self._read_at = index, mark, begin
