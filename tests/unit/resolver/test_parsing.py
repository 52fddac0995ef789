"""Pages are read by children: what a page does to one of them stays there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from kinodom_common.contracts.titles import TitleHit
from kinodom_resolver.adapters.parsing import PageTooHard, Parser, plain_text_apart
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.wall import Wall
from tests.support.fake_sources import FakeSource, listed

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join((".", "services/common/src", "services/resolver/src"))}


def say(body: bytes, *, times: int = 1) -> str:
    return body.decode() * times


def spin(body: bytes) -> None:
    while True:
        pass


def swallow(body: bytes) -> int:
    return len(bytearray(int(body)))


def stumble(body: bytes) -> None:
    raise KeyError("x")


def die(body: bytes) -> None:
    os.abort()


def lie(body: bytes) -> int:
    return cast("int", "no number")


def who(body: bytes) -> int:
    return os.getpid()


@pytest.fixture
def parser() -> Iterator[Parser]:
    one = Parser(limit_s=1.0, memory_bytes=100 * 1024**2)
    yield one
    one.close()


def test_a_function_of_the_table_runs_in_a_child_that_is_used_again(parser: Parser) -> None:
    assert parser.run(say, b"ab", times=2) == "abab"
    assert parser.run(who, b"") == parser.run(who, b"") != os.getpid()


@pytest.mark.parametrize(
    ("function", "body"), [(spin, b""), (swallow, b"2000000000"), (stumble, b""), (die, b""), (lie, b"")]
)
def test_whatever_a_page_does_is_one_error_and_the_next_page_is_read(
    parser: Parser, function: Callable[[bytes], object], body: bytes
) -> None:
    began_s = time.monotonic()

    with pytest.raises(PageTooHard):
        parser.run(function, body)

    assert parser.run(say, b"on") == "on"
    assert time.monotonic() - began_s < 10


def test_a_child_whose_parent_goes_away_ends_and_says_nothing(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import os, threading\n"
        "from kinodom_resolver.adapters.parsing import Parser\n"
        "from tests.unit.resolver.test_parsing import spin, who\n"
        "if __name__ == '__main__':\n"
        "    parser = Parser(limit_s=0.5)\n"
        "    print(parser.run(who, b''), flush=True)\n"
        "    threading.Thread(target=parser.run, args=(spin, b''), daemon=True).start()\n"
        "    os._exit(0)\n"
    )

    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, cwd=ROOT, timeout=60, env=ENV)

    assert done.stderr == ""
    until_s = time.monotonic() + 30
    while Path(f"/proc/{int(done.stdout)}").exists() and time.monotonic() < until_s:
        os.sched_yield()
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_many_threads_share_the_children(parser: Parser) -> None:
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(parser.run(who, b""))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(pids) == 20
    assert len(set(pids)) <= 3


def test_a_source_whose_pages_are_all_hard_leaves_a_child_to_the_others() -> None:
    parser = Parser(limit_s=5.0, children=3)
    ends: list[str] = []

    class Asking(FakeSource):
        def search(self, query: str) -> Sequence[TitleHit]:
            with contextlib.suppress(PageTooHard):
                parser.run(spin if self.name == "hard" else who, b"")
            ends.append(self.name)
            return ()

    wall = Wall()
    hard, good = Asking("hard"), Asking("good")
    threads = [
        threading.Thread(target=lambda n=n: finding.search(f"x{n}", listed=listed(hard), wall=wall, deadline_s=60))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()

    finding.search("x", listed=listed(good), wall=wall, deadline_s=60)

    assert ends == ["good"]
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == ["good", *["hard"] * 4]
    parser.close()


def test_html_is_read_apart_and_plain_text_needs_no_child() -> None:
    parser = Parser(children=1)

    assert plain_text_apart("no tags &amp; no child", longest=100, parser=Parser(children=0)) == ("no tags & no child")
    assert plain_text_apart("<p>One</p><script>no()</script><p>Two", longest=100, parser=parser) == "One\nTwo"
    parser.close()


def test_a_page_of_unclosed_tags_costs_its_own_text_at_most() -> None:
    parser = Parser(children=1)
    began_s = time.monotonic()

    with contextlib.suppress(PageTooHard):
        plain_text_apart("<a" * 32_000, longest=5000, parser=parser)

    assert time.monotonic() - began_s < 10
    parser.close()
