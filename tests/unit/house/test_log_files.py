from __future__ import annotations

import io
from pathlib import Path

import pytest

from kinodom_house import log_files
from kinodom_house.log_files import ProcessLog, in_short, is_loud


@pytest.mark.parametrize(
    "line",
    [
        '{"level": "warning", "event": "source_failed"}',
        '{"level": "error", "event": "job_failed"}',
        "[2026-11-21 10:00:00 +0000] [12] [ERROR] Worker (pid:13) was sent SIGKILL!",
        "2026/11/21 09:37:38 [emerg] 12823#12823: no such file",
        "Traceback (most recent call last):",
        "12:M 21 Nov 2026 # WARNING Memory overcommit must be enabled!",
    ],
)
def test_warnings_and_worse_are_loud(line: str) -> None:
    assert is_loud(line)


@pytest.mark.parametrize(
    "line",
    ['{"level": "info", "event": "request_served"}', "[INFO] Booting worker", "{half a line", "", "warning signs"],
)
def test_everything_else_is_quiet(line: str) -> None:
    assert not is_loud(line)


def test_all_lines_are_in_the_file_and_the_loud_ones_on_the_terminal(tmp_path: Path) -> None:
    terminal = io.StringIO()
    log = ProcessLog("sync", tmp_path, terminal)

    log.write(b'{"level":"info","event":"a"}\n')
    log.write(b'{"level":"error","event":"b"}\n')
    log.close()

    assert (tmp_path / "sync.log").read_text() == '{"level":"info","event":"a"}\n{"level":"error","event":"b"}\n'
    assert terminal.getvalue() == "              sync | error: b\n"


def test_of_an_exception_the_terminal_shows_its_last_line() -> None:
    line = '{"level": "error", "event": "job_failed", "exception": "Traceback:\\n  File x\\nValueError: no such field"}'

    assert in_short(line) == "error: job_failed: ValueError: no such field"


@pytest.mark.parametrize("line", ["plain words", "{half", "[1]"])
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert in_short(line) == line


def test_a_warning_that_needs_nobody_stays_in_the_file(tmp_path: Path) -> None:
    terminal = io.StringIO()
    log = ProcessLog("redis", tmp_path, terminal, ignore=("overcommit",))

    log.write(b"# WARNING Memory overcommit must be enabled!\n")
    log.close()

    assert terminal.getvalue() == ""


def test_a_file_past_its_limit_is_kept_once_and_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "FILE_LIMIT_BYTES", 100)
    log = ProcessLog("sync", tmp_path, io.StringIO())

    for number in range(30):
        log.write(b"line %d of many\n" % number)
    log.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["sync.log", "sync.log.1"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 250
    assert "line 29" in (tmp_path / "sync.log.1").read_text() + (tmp_path / "sync.log").read_text()
