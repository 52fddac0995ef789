"""A film fetched, packaged and published on a disk that runs full on the way, and goes on when there is room."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from kinodom_downloader.domain.wishes import DISK_WAIT_S
from tests.support.origin import Origin
from tests.support.small_disk import PAGE_BYTES, SmallDisk, small_disk
from tests.support.workshop import Workshop

ROOMY = ("size=200m", "nr_inodes=10000")


@dataclass(frozen=True, slots=True)
class Whole:
    """What the film comes to where there is room."""

    files: dict[str, str]  # of the folder, with their sums
    bytes_: int  # on the disk when its last byte is written, what was fetched among them
    inodes: int


@dataclass(slots=True)
class Outcome:
    """What came of one disk."""

    first: tuple[str, str | None]  # state of the wish and reason, when the disk was full
    stages: set[str] = field(default_factory=set)  # how far it had come
    shown: list[str] = field(default_factory=list)  # folders that could be seen then
    left: list[str] = field(default_factory=list)  # files that lay there then beside what was fetched
    too_soon: bool = False  # somebody worked on it before it was due again
    second: tuple[str, str | None] = ("", None)  # when there was room
    again: list[str] = field(default_factory=list)  # segments that lay there whole and were asked for again
    files: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    at_work: list[str] = field(default_factory=list)  # what was left in the end

    def wrong(self, whole: Whole, reason: str = "no_space") -> list[str]:
        """Return what is not as it should be."""
        claims = {
            f"state {self.first}": self.first == ("waiting", reason),
            f"shown {self.shown}": not self.shown,
            f"left behind {self.left}": not self.left,
            "worked on too soon": not self.too_soon,
            f"in the end {self.second}": self.second == ("ready", None),
            f"fetched again {self.again}": not self.again,
            "other files in the end": self.files == whole.files,
            f"{self.rows} rows": self.rows == 1,
            f"work left {self.at_work}": not self.at_work,
        }
        return [claim for claim, holds in claims.items() if not holds]


def whole_film(folder: Path, host: Origin) -> Whole:
    """Publish where there is room."""
    used: list[tuple[int, int]] = []
    with small_disk(folder / "disk", *ROOMY) as disk:
        shop = Workshop(folder, disk.root, host, on_row=lambda: used.append((disk.used_bytes(), disk.used_inodes())))
        shop.work()
        return Whole(files_of(disk.root), *used[0])


def sizes(whole: Whole, even: int, last: int) -> list[int]:
    """Return sizes of disks: so many spread from the first byte on, then so many of the last pages one by one."""
    end = whole.bytes_ // PAGE_BYTES - last
    spread = [1 + (end - 1) * number // even for number in range(even)]
    return [pages * PAGE_BYTES for pages in (*spread, *(end + number for number in range(last)))]


def on_full_disk(folder: Path, host: Origin, *options: str) -> Outcome:
    """Let a worker work on a disk with these options, then on the same one with room, when the wish is due again."""
    with small_disk(folder / "disk", *ROOMY, *options) as disk:
        stages: set[str] = set()
        shop = Workshop(folder, disk.root, host, on_progress=lambda progress: stages.add(progress.stage))
        first = shop.work()
        assert first is not None
        work = disk.root / "work" / shop.wish_id
        outcome = Outcome(
            first=(first.state, first.reason_code),
            stages=set(stages),
            shown=[path.name for path in disk.root.glob("library/*/*")],
            left=[
                str(path.relative_to(work))
                for path in work.rglob("*")
                if path.is_file() and path.relative_to(work).parts[0] not in ("parts", "live")
            ],
        )
        _go_on(outcome, shop, disk, host, {path.name for path in work.glob("parts/t*/*.seg")})
        return outcome


def _go_on(outcome: Outcome, shop: Workshop, disk: SmallDisk, host: Origin, whole: set[str]) -> None:
    shop.now_s += DISK_WAIT_S - 1
    outcome.too_soon = shop.work() is not None
    disk.change(*ROOMY, "rw")
    host.asked.clear()
    shop.now_s += 2
    second = shop.work()
    outcome.second = (second.state, second.reason_code) if second else ("not due", None)
    outcome.again = [name for name in whole if f"/seg{int(name[:6])}.ts" in host.asked]
    outcome.files, outcome.rows = files_of(disk.root), len(shop.rows)
    outcome.at_work = [path.name for path in (disk.root / "work").iterdir()]


def files_of(root: Path) -> dict[str, str]:
    """Return the files of the one folder in the library with their sums, as it says itself."""
    told = [json.loads(path.read_bytes()) for path in root.glob("library/*/*/metadata.json")]
    return {name: one["sha256"] for name, one in told[0]["files"].items()} if len(told) == 1 else {}
