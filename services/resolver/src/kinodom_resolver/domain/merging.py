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
    groups: list[list[tuple[TitleHit, str | None]]] = []
    for hit in hits:
        joined = next(((group, why) for group in groups if (why := reason_for_all(hit, group)) is not None), None)
        if joined is None:
            groups.append([(hit, None)])
        else:
            joined[0].append((hit, joined[1]))
    return tuple(_group(members) for members in groups)


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
