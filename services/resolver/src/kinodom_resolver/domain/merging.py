"""Which hits of several sources are one title. What is not certain stays apart."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from kinodom_common.contracts.titles import GroupMember, TitleGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.titles import TitleHit

WORD = re.compile(r"\w+")


def groups_of(hits: Sequence[TitleHit]) -> tuple[TitleGroup, ...]:
    """Return every hit in one group, in the order of the first hit of each."""
    grouping = Grouping()
    for hit in hits:
        grouping.add(hit)
    return grouping.all()


class Grouping:
    """Groups that grow hit by hit, as the sources answer."""

    def __init__(self) -> None:
        self._groups: list[list[tuple[TitleHit, str | None]]] = []
        self._near: dict[tuple[object, object], list[int]] = {}  # what two hits of one title share: where it is found

    def add(self, hit: TitleHit) -> int:
        """Put a hit into the first group that it belongs to, else into one of its own; return the group's number."""
        keys = _keys(hit)
        near = sorted({number for key in keys for number in self._near.get(key, ())})
        found = ((number, reason_for_all(hit, self._groups[number])) for number in near)
        number, why = next(((one, why) for one, why in found if why is not None), (len(self._groups), None))
        if why is None:
            self._groups.append([])
        self._groups[number].append((hit, why))
        for key in keys:
            self._near.setdefault(key, []).append(number)
        return number

    def with_these(self, hits: Sequence[TitleHit]) -> tuple[TitleGroup, ...]:
        """Add hits and return the groups they are in, with the hits that were there before."""
        numbers = dict.fromkeys(self.add(hit) for hit in hits)
        return tuple(_group(self._groups[number]) for number in numbers)

    def all(self) -> tuple[TitleGroup, ...]:
        """Return the groups, in the order of the first hit of each."""
        return tuple(_group(members) for members in self._groups)


def _keys(hit: TitleHit) -> set[tuple[object, object]]:
    """Return what any hit of the same title shares with this one, at least one of them."""
    names = {(name, hit.year) for name in names_of(hit)} if hit.year is not None else set()
    return names | set(ids_of(hit).items())


def reason_for_all(hit: TitleHit, group: Sequence[tuple[TitleHit, str | None]]) -> str | None:
    """Return why a hit belongs to a group; None when it does not, or when an id of any member speaks against it.

    Two hits of one source are two titles: it would have told them as one otherwise.
    """
    if any(hit.source == other.source or differ(hit, other) for other, _ in group):
        return None
    return next((why for other, _ in group if (why := same_title(hit, other)) is not None), None)


def same_title(one: TitleHit, other: TitleHit) -> str | None:
    """Return why two hits are one title: a shared id, else the same name, year and kind; None: they may not be."""
    theirs = ids_of(other)
    for name, value in ids_of(one).items():
        if theirs.get(name) == value:
            return name
    kinds = {one.kind, other.kind} - {"unknown"}
    if one.year is None or one.year != other.year or len(kinds) > 1:
        return None
    return "name_year_kind" if names_of(one) & names_of(other) else None


def differ(one: TitleHit, other: TitleHit) -> bool:
    """Say whether both have an id in one namespace, and not the same."""
    theirs = ids_of(other)
    return any(theirs.get(name, value) != value for name, value in ids_of(one).items())


def ids_of(hit: TitleHit) -> dict[str, object]:
    """Return the ids a hit has in namespaces that several sources use."""
    return {name: value for name, value in hit if name.endswith("_id") and name != "external_id" and value is not None}


def names_of(hit: TitleHit) -> set[str]:
    """Return the names of a hit, without case, accents and signs; `ё` counts as `е`."""
    found = (plain_name(name) for name in (hit.name, hit.original_name) if name)
    return {name for name in found if name}


def plain_name(name: str) -> str:
    """Return the words of a name as they are compared."""
    parted = unicodedata.normalize("NFKD", name.casefold())
    return " ".join(WORD.findall("".join(char for char in parted if not unicodedata.combining(char))))


def _group(members: Sequence[tuple[TitleHit, str | None]]) -> TitleGroup:
    first = members[0][0]
    kind = next((hit.kind for hit, _ in members if hit.kind != "unknown"), "unknown")
    return TitleGroup(
        name=first.name,
        year=next((hit.year for hit, _ in members if hit.year is not None), None),
        kind=kind,
        members=tuple(
            GroupMember(external_id=hit.external_id, source=hit.source, reason=reason) for hit, reason in members
        ),
    )
