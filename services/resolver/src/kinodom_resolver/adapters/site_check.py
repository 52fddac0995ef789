"""Tries the description of a site on the site itself, and explains line by line what each pick found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kinodom_common.errors import KinodomError
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import SiteWeb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_common.contracts.titles import SourceTitle, TitleHit
    from kinodom_common.egress import OutsideClient
    from kinodom_resolver.adapters.site_files import SiteFile
    from kinodom_resolver.adapters.site_schema import Example, Site

SHOWN: Final = 3  # values of a pick
SHOWN_CHARS: Final = 60


class _Unmet(Exception):
    """An example did not find what it names."""


@dataclass(slots=True)
class _Notes:
    """What the picks found since the last step, by their place in the description."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def take(self, key: str, texts: Sequence[str]) -> None:
        self.found.setdefault(key, []).extend(texts)

    def tell(self, file: SiteFile, say: Callable[[str], None]) -> None:
        for key, texts in sorted(self.found.items(), key=lambda pair: file.line_of(_place(pair[0]))):
            shown = f"{len(texts)} row(s)" if key.endswith(".each") else _shown(texts)
            line = f"{file.file}:{file.line_of(_place(key))}"
            say(f"    {line:<20} {key:<26} {shown if texts else 'found nothing'}")
        self.found.clear()


def explain(file: SiteFile, outside: OutsideClient, say: Callable[[str], None]) -> bool:
    """Say what the file and its examples come to; return whether all is well."""
    for mistake in file.mistakes:
        say(f"{file.file}:{mistake.line}: {mistake.text}")
    site = file.site
    if site is None:
        say(f"{len(file.mistakes)} to mend.")
        return False
    say(f"{file.file} describes {site.label} ({site.name}) and holds no mistakes.")
    if not site.examples:
        say("It has no `examples`: add one, and it is tried here.")
    good = [_try(site, example, number, file, outside, say) for number, example in enumerate(site.examples)]
    return all(good)


def _try(
    site: Site, example: Example, number: int, file: SiteFile, outside: OutsideClient, say: Callable[[str], None]
) -> bool:
    notes = _Notes()
    source = YamlSite(site, SiteWeb(site, outside), notice=notes.take)
    asked = example.search or example.address or ""
    say(f"{file.file}:{file.line_of(('examples', number))}: example {number + 1}: {asked}")
    try:
        try:
            hits = source.search(asked)
        finally:
            notes.tell(file, say)
        hit = _wanted(hits, example)
        say(f"  the title: {hit.name}" + (f" ({hit.year})" if hit.year else ""))
        _try_title(source, hit.external_id, example, notes, file, say)
    except (KinodomError, _Unmet) as exc:
        notes.tell(file, say)
        say(f"  FAILED: {exc}")
        return False
    say("  works")
    return True


def _try_title(
    source: YamlSite, external_id: str, example: Example, notes: _Notes, file: SiteFile, say: Callable[[str], None]
) -> None:
    title: SourceTitle = source.title(external_id)
    notes.tell(file, say)
    version = title.translations[0]
    episodes = [one for one in version.episodes if one.episode is not None]
    say(f"  {len(title.translations)} dub(s), {len(episodes) or 'no'} episode(s)")
    if example.episodes is not None and len(episodes) < example.episodes:
        raise _Unmet(f"fewer than {example.episodes} episodes")
    first = version.episodes[0]
    offers = source.offers(external_id, first.season, first.episode, version.translation_id)
    notes.found = {key: texts for key, texts in notes.found.items() if key.startswith("media.")}
    notes.tell(file, say)
    for offer in offers:
        say(f"  {offer.delivery}{f' {offer.height_px}p' if offer.height_px else ''}: {offer.url}")
    if not offers:
        raise _Unmet("no file was found for the first episode")
    if example.link is not None and not any(example.link in offer.url for offer in offers):
        raise _Unmet(f"no file has “{example.link}” in its address")


def _wanted(hits: Sequence[TitleHit], example: Example) -> TitleHit:
    for hit in hits:
        if example.name is None or hit.name == example.name:
            return hit
    raise _Unmet(f"“{example.name}” is not among the {len(hits)} titles found" if hits else "no title was found")


def _place(key: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


def _shown(texts: Sequence[str]) -> str:
    shown = ", ".join(f"“{_short(text)}”" for text in texts[:SHOWN])
    return f"{shown} and {len(texts) - SHOWN} more" if len(texts) > SHOWN else shown


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else line[: SHOWN_CHARS - 1] + "…"
