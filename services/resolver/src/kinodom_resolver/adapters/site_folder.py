"""The folder of described sites, looked at again when somebody asks and a moment has passed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.site_files import Mistake, SiteFile, read_site
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import SiteWeb
from kinodom_resolver.domain.ports import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import NoReturn

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.contracts.titles import SourceTitle, TitleHit
    from kinodom_common.egress import OutsideClient
    from kinodom_resolver.adapters.site_web import Way
    from kinodom_resolver.domain.ports import QueryKind, Source

log = get_log(__name__)

LOOK_EVERY_S: Final = 2.0
MOST_FILES: Final = 200
MISTAKES_TOLD: Final = 20
Stamp = tuple[int, int, int]  # time of the last change in ns, size, inode


class SiteFileBroken(UpstreamFailed):
    """The description of a site has mistakes, so the site is not asked."""

    code = "site_file_broken"
    title = "The description of a site has mistakes"


class SickSite:
    """Stands for a site whose file has mistakes: whoever asks it is told them."""

    weight = 0

    def __init__(self, name: str, label: str, told: str) -> None:
        self.name = name
        self.label = label
        self.schemes = frozenset({name})
        self.reads: frozenset[QueryKind] = frozenset({"words"})
        self._told = told

    def search(self, _query: str) -> Sequence[TitleHit]:
        """Tell the mistakes."""
        self._fail()

    def title(self, _external_id: str) -> SourceTitle:
        """Tell the mistakes."""
        self._fail()

    def offers(self, _id: str, _season: int | None, _episode: int | None, _translation_id: str) -> Sequence[Offer]:
        """Tell the mistakes."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise SiteFileBroken(self._told)


class SiteFolder:
    """Reads `*.yaml` and `*.yml` of one folder, in the order of their names. A bad file costs only itself.

    Args:
        taken: names and schemes of other sources; a site may have none of them.
        off: names of sites that are not asked.
        way: what a source does with its way out.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        root: Path,
        outside: OutsideClient,
        *,
        taken: frozenset[str] = frozenset(),
        off: frozenset[str] = frozenset(),
        way: Way = lambda _name, client: client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._outside = outside
        self._taken = taken
        self._off = off
        self._way = way
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_s: float | None = None
        self._stamps: dict[str, Stamp] = {}
        self._read: dict[str, tuple[Stamp, SiteFile, Source | None]] = {}
        self._rows: tuple[Listed, ...] = ()

    def rows(self) -> tuple[Listed, ...]:
        """Return the sites as they stand in the folder now, or stood two seconds ago."""
        with self._lock:
            now_s = self._clock()
            if self._looked_s is None or now_s - self._looked_s >= LOOK_EVERY_S:
                self._looked_s = now_s
                self._look()
            return self._rows

    def _look(self) -> None:
        stamps = self._stamps_now()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        self._read = {name: self._file(name, stamp) for name, stamp in stamps.items()}
        seen: dict[str, str] = {}
        self._rows = tuple(self._row(file, source, seen) for _, file, source in self._read.values())
        log.info("sites_read", files=len(self._rows), sick=sum(bool(row.mistakes) for row in self._rows))

    def _stamps_now(self) -> dict[str, Stamp]:
        found: dict[str, Stamp] = {}
        try:
            paths = sorted(path for path in self._root.iterdir() if path.suffix in (".yaml", ".yml"))
        except OSError as exc:
            log.warning("sites_folder_unreadable", folder=str(self._root), why=exc.strerror)
            return found
        for path in paths[:MOST_FILES]:
            try:
                seen = path.stat()
            except OSError:  # taken away just now
                continue
            if path.is_file() and not path.name.startswith("."):
                found[path.name] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        return found

    def _file(self, name: str, stamp: Stamp) -> tuple[Stamp, SiteFile, Source | None]:
        known = self._read.get(name)
        if known is not None and known[0] == stamp:
            return known
        file = read_site(self._root / name)
        if file.site is None:
            return stamp, file, None
        return stamp, file, YamlSite(file.site, SiteWeb(file.site, self._outside, way=self._way))

    def _row(self, file: SiteFile, source: Source | None, seen: dict[str, str]) -> Listed:
        if source is None:
            return self._sick(file, file.mistakes, seen)
        if source.name in self._taken or source.name in seen:
            whose = seen.get(source.name, "another source")
            text = f"`name`: {source.name} is taken by {whose}"
            return self._sick(file, (Mistake(line=file.line_of(("name",)), text=text),), seen)
        seen[source.name] = file.file
        if source.name in self._off:
            note = "Switched off by KINODOM_SOURCES_OFF."
            return Listed(name=source.name, label=source.label, weight=source.weight, source=None, note=note)
        return Listed(name=source.name, label=source.label, weight=source.weight, source=source)

    def _sick(self, file: SiteFile, mistakes: Sequence[Mistake], seen: dict[str, str]) -> Listed:
        lines = [f"{file.file}:{one.line}: {one.text}" for one in mistakes[:MISTAKES_TOLD]]
        if len(mistakes) > MISTAKES_TOLD:
            lines.append(f"{file.file}: and {len(mistakes) - MISTAKES_TOLD} more")
        log.warning("site_file_broken", file=file.file, mistakes=lines)
        name = file.named or "site"
        if name in self._taken or name in seen:
            name = f"sick_site_{len(seen)}"  # ids of the site itself belong to whoever has its name
        seen[name] = file.file
        told = f"{file.file} has mistakes, so this site is not asked. {lines[0]}"
        sick = SickSite(name, file.file, told)
        return Listed(
            name=name,
            label=file.file,
            weight=0,
            source=sick,
            mistakes=tuple(lines),
            note="Its description has mistakes.",
        )
