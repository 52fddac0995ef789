"""The supervisor over stand-ins: order, restarts, stopping, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kinodom_house.child import Process
from kinodom_house.supervisor import HouseBrokeError, Supervisor
from tests.support.free_ports import free_port

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[3]
LIMIT_S = 20.0

Plan = list[list[dict[str, object]]]


@dataclass
class Running:
    process: subprocess.Popen[str]
    folder: Path

    def events(self) -> list[str]:
        path = self.folder / "events"
        return path.read_text().splitlines() if path.exists() else []

    def names(self, event: str) -> list[str]:
        return [line.split()[0] for line in self.events() if line.split()[1] == event]

    def pids(self) -> list[int]:
        return [int(line.split()[2]) for line in self.events() if line.split()[1] in {"started", "child"}]

    def wait_for_open(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "open\n"

    def errors_at_the_end(self) -> str:
        return self.process.communicate(timeout=LIMIT_S)[1]


def until(claim: Callable[[], bool]) -> None:
    for _ in range(int(LIMIT_S / 0.02)):
        if claim():
            return
        time.sleep(0.02)
    pytest.fail("it did not come true in time")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def supervised(folder: Path, plan: Plan, *, start_limit_s: float = LIMIT_S) -> Iterator[Running]:
    path = f"{REPOSITORY}:{REPOSITORY / 'house/src'}"
    environ = {"PATH": os.defpath, "PYTHONPATH": path}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.supervise", str(folder), str(start_limit_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=REPOSITORY,
    )
    assert process.stdin is not None
    with process:
        process.stdin.write(json.dumps(plan))
        process.stdin.close()
        process.stdin = None
        running = Running(process, folder)
        try:
            yield running
        finally:
            process.kill()
            for pid in running.pids():
                if is_alive(pid):
                    os.kill(pid, signal.SIGKILL)


def part(name: str, *arguments: str, port: bool = False) -> dict[str, object]:
    return {"name": name, "arguments": arguments, "port": free_port() if port else None}


def test_a_group_starts_when_the_one_before_is_ready(tmp_path: Path) -> None:
    plan = [[part("store", port=True)], [part("web", port=True), part("feed", port=True)], [part("door")]]

    with supervised(tmp_path, plan) as running:
        running.wait_for_open()
        until(lambda: "door" in running.names("started"))
        lines = [" ".join(line.split()[:2]) for line in running.events()]

    assert lines.index("store ready") < lines.index("web started")
    assert max(lines.index("web ready"), lines.index("feed ready")) < lines.index("door started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_groups_stop_in_reverse_order_and_the_end_is_a_good_one(tmp_path: Path, number: signal.Signals) -> None:
    plan = [[part("store", port=True)], [part("web", port=True)], [part("door", port=True)]]

    with supervised(tmp_path, plan) as running:
        running.wait_for_open()
        running.process.send_signal(number)
        running.errors_at_the_end()

        assert running.names("stopped") == ["door", "web", "store"]
        assert running.process.returncode == 0


def test_a_process_that_takes_no_notice_is_ended_with_its_children(tmp_path: Path) -> None:
    with supervised(tmp_path, [[part("deaf", "--stubborn", "--child", port=True)]]) as running:
        running.wait_for_open()
        running.process.terminate()
        running.errors_at_the_end()

        assert len(running.pids()) == 2
        assert not any(is_alive(pid) for pid in running.pids())


def test_a_process_that_dies_is_started_again_and_its_children_do_not_stay(tmp_path: Path) -> None:
    with supervised(tmp_path, [[part("web", "--child", port=True)], [part("door", port=True)]]) as running:
        running.wait_for_open()
        web, child = running.pids()[:2]
        os.kill(web, signal.SIGKILL)
        until(lambda: running.names("started").count("web") == 2)

        assert running.names("started").count("door") == 1
        assert not is_alive(child)
        running.process.terminate()
        assert "web ended (signal 9); it is started again in 0.2 s" in running.errors_at_the_end()


def test_five_deaths_in_a_minute_close_the_house_with_the_reason(tmp_path: Path) -> None:
    with supervised(tmp_path, [[part("store", port=True)], [part("sick", "--dies", port=True)]]) as running:
        errors = running.errors_at_the_end()

        assert running.process.returncode == 1
        assert running.names("started").count("sick") == 5
        assert running.names("stopped") == ["store"]
        assert "sick ended 5 times within a minute (exit code 7), so the house was closed." in errors
        assert "sick says hello" in errors.rpartition("and ends:")[2]


def test_a_house_that_is_not_ready_in_time_says_who_was_waited_for(tmp_path: Path) -> None:
    nobody_listens = {"name": "late", "arguments": [], "probe_port": free_port()}

    with supervised(tmp_path, [[part("store", port=True)], [nobody_listens]], start_limit_s=3.0) as running:
        errors = running.errors_at_the_end()

        assert running.process.returncode == 1
        assert "Not ready after 3 s: late." in errors
        assert not any(is_alive(pid) for pid in running.pids())


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    supervisor = Supervisor([[Process(name="door", command=("/nowhere/nginx",))]], folder=tmp_path, logs=tmp_path)

    with pytest.raises(HouseBrokeError, match="door could not be started: /nowhere/nginx: No such file"):
        supervisor.run(lambda: None)


def test_a_supervisor_that_is_killed_leaves_nobody(tmp_path: Path) -> None:
    plan = [[part("store", port=True)], [part("web", port=True), part("worker")]]

    with supervised(tmp_path, plan) as running:
        running.wait_for_open()
        until(lambda: "worker" in running.names("started"))
        running.process.kill()
        running.process.wait(LIMIT_S)

        until(lambda: not any(is_alive(pid) for pid in running.pids()))
