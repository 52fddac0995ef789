"""An offer fails in mid-film: the next one goes on where it was, and links that ran out are asked for again at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer, OfferList
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_common.errors import UpstreamFailed
from kinodom_downloader.adapters.engine import fetch
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain import working
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.holes import Leave
from tests.support import origin
from tests.support.fetching import bytes_of, transport_for
from tests.support.origin import Answer, Origin
from tests.support.wish_world import WISH_ID, Folders, Offers, World

COUNT = 6


def packets(seed: int, count: int = 400) -> bytes:
    return b"".join(b"\x47\x1f\xff\x10" + bytes([seed, at % 251]) * 92 for at in range(count))


@dataclass
class RealFetch:
    """The engine against the hosts of a test, one piece at a time."""

    hosts: tuple[Origin, ...]

    def __call__(
        self,
        offer: Offer,
        work: Path,
        *,
        wanted_height_px: int | None,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        hurry: bool = False,
        leave: Leave = "nothing",
    ) -> Fetched:
        return fetch(
            offer, work, transport=transport_for(*self.hosts), workers=1, on_progress=on_progress,
            should_stop=should_stop, wanted_height_px=wanted_height_px, leave=leave,
        )  # fmt: skip


@dataclass
class Disk(Folders):
    """Keeps what was fetched."""

    root: Path = Path()
    film: bytes = b""

    def work_folder(self, wish_id: str) -> Path:
        return self.root

    def publish(self, wish: rules.StoredWish, fetched: Fetched, offer: Offer, **rest: object) -> object:  # type: ignore[override]
        self.film = bytes_of(fetched.tracks[0])
        return super().publish(wish, fetched, offer, **rest)  # type: ignore[arg-type]


@dataclass
class Rounds(Offers):
    """A resolver that gives other links each time; None: it does not answer."""

    rounds: list[tuple[Offer, ...] | None] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)

    def offers(self, request: WishRequest, *, fresh: bool) -> OfferList:
        self.asked.append(fresh)
        now = self.rounds[min(len(self.asked), len(self.rounds)) - 1]
        if now is None:
            raise UpstreamFailed("The resolver does not answer.")
        return OfferList(external_id=request.external_id, translation_id=request.translation_id, offers=now)


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        rows = "".join(f"#EXTINF:2,\nseg{index}.ts\n" for index in range(COUNT))
        for name, first in (("a", 0), ("b", 0), ("other", 100)):
            server.files[f"/{name}/index.m3u8"] = f"#EXTM3U\n{rows}#EXT-X-ENDLIST\n".encode()
            server.files |= {f"/{name}/seg{index}.ts": packets(first + index, 400 + index) for index in range(COUNT)}
        yield server


def film(host: Origin, name: str) -> bytes:
    return b"".join(host.files[f"/{name}/seg{index}.ts"] for index in range(COUNT))


def offer(host: Origin, path: str, source: str = "demo") -> Offer:
    return Offer(source=source, url=f"{host.address}{path}", delivery="hls")


def worked(host: Origin, folder: Path, *rounds: tuple[Offer, ...] | None) -> tuple[rules.StoredWish, Disk, Rounds]:
    """Work once on a wish and return it, what was published, and what the resolver was asked."""
    world = World()
    disk, resolver = Disk(root=folder), Rounds(rounds=list(rounds))
    tools = replace(world.tools, fetch=RealFetch((host,)), library=disk, resolver=resolver)
    working.fulfil(token="t", tools=tools)
    return world.wishes.get(WISH_ID), disk, resolver


def asked(host: Origin, name: str) -> dict[str, int]:
    return {path: count for path, count in host.asked.items() if path.startswith(f"/{name}/seg")}


def test_the_next_offer_goes_on_from_the_segment_where_the_first_one_failed(host: Origin, tmp_path: Path) -> None:
    host.faults["/a/seg3.ts"] = origin.status(404)

    wish, disk, _ = worked(host, tmp_path, (offer(host, "/a/index.m3u8"), offer(host, "/b/index.m3u8", "second")))

    assert (wish.state, disk.film) == ("ready", film(host, "b"))
    assert asked(host, "b") == {"/b/seg0.ts": 1, "/b/seg3.ts": 1}  # the first one to compare


def test_pieces_of_another_rendition_with_the_same_list_are_never_mixed_in(host: Origin, tmp_path: Path) -> None:
    host.faults["/a/seg3.ts"] = origin.status(404)

    wish, disk, _ = worked(host, tmp_path, (offer(host, "/a/index.m3u8"), offer(host, "/other/index.m3u8", "second")))

    assert (wish.state, disk.film) == ("ready", film(host, "other"))


def test_a_next_offer_that_is_worse_loses_nothing_that_was_fetched(host: Origin, tmp_path: Path) -> None:
    host.faults |= {"/a/seg3.ts": origin.status(404), "/b/seg0.ts": origin.sends(b"<html>log in</html>")}
    both = (offer(host, "/a/index.m3u8"), offer(host, "/b/index.m3u8", "second"))
    stopped, _, _ = worked(host, tmp_path, both)
    host.faults.clear()
    host.asked.clear()

    wish, disk, _ = worked(host, tmp_path, both)

    assert (stopped.state, wish.state, disk.film) == ("waiting", "ready", film(host, "a"))
    assert asked(host, "a") == {"/a/seg3.ts": 1}


def runs_out(host: Origin, token: str, after: int) -> None:
    """Refuse a token when so many segments were served with it."""
    served: list[str] = []

    def fault(answer: Answer, _number: int) -> bool:
        if token not in answer.path or not answer.path.partition("?")[0].endswith(".ts"):
            return False
        served.append(answer.path)
        return len(served) > after and origin.status(403)(answer, 0)

    host.faults["*"] = fault


def with_tokens(host: Origin) -> None:
    """Pass the token of the playlist on to its segments."""
    text = host.files["/a/index.m3u8"].decode()
    for token in ("one", "two"):
        host.files[f"/a/{token}.m3u8"] = text.replace(".ts", f".ts?token={token}").encode()


def test_links_that_run_out_are_asked_for_again_at_once(host: Origin, tmp_path: Path) -> None:
    with_tokens(host)
    runs_out(host, "token=one", after=3)

    wish, disk, resolver = worked(
        host, tmp_path, (offer(host, "/a/one.m3u8"),), (offer(host, "/b/index.m3u8", "x"), offer(host, "/a/two.m3u8"))
    )

    assert (wish.state, disk.film, resolver.asked) == ("ready", film(host, "a"), [True, True])
    served = [path for path, _ in host.heads if "token=two" in path]
    assert served == [f"/a/seg{index}.ts?token=two" for index in (3, 4, 5)]
    assert resolver.told == [(f"{host.address}/a/two.m3u8", True)]


def test_links_that_run_out_again_wait(host: Origin, tmp_path: Path) -> None:
    with_tokens(host)
    runs_out(host, "token=", after=3)

    wish, _, resolver = worked(host, tmp_path, (offer(host, "/a/one.m3u8"),), (offer(host, "/a/two.m3u8"),))

    assert (wish.state, wish.reason_code, resolver.asked) == ("waiting", "link_expired", [True, True])


@pytest.mark.parametrize("again", ["no answer", "the same link"])
def test_links_that_cannot_be_had_anew_wait(host: Origin, tmp_path: Path, again: str) -> None:
    with_tokens(host)
    runs_out(host, "token=one", after=3)
    first = (offer(host, "/a/one.m3u8"),)

    wish, _, resolver = worked(host, tmp_path, first, None if again == "no answer" else first)

    assert (wish.state, wish.reason_code, len(resolver.asked)) == ("waiting", "link_expired", 2)
    assert resolver.told == [(f"{host.address}/a/one.m3u8", False)]
