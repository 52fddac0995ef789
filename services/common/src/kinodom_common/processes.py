"""The one place that starts programs. Commands come from the builders in `media_tools` or name a file of ours.

A child gets its own session, a small clean environment and limits; it is killed with its whole group when its time
is over, when the caller is interrupted, and by the kernel when the caller dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from kinodom_common.errors import KinodomError, NoSpace
from kinodom_common.feeding import Feed, widen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_common.feeding import StdinPart

Program = Literal["ffmpeg", "ffprobe", "python"]

_PR_SET_PDEATHSIG = 1
_BLOCK_BYTES = 256 * 1024
_STDERR_TAIL_BYTES = 8 * 1024
_OPEN_FILES = 4096  # of a child; kernels allow as many where nobody set another limit
_LOOK_S = 0.2  # how often `stopped` is asked while the child says nothing
# A child needs to find its libraries and to write plain text, nothing of ours.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
# Bound before any fork: between fork and exec a child of a threaded process must not import or take locks.
_prctl = ctypes.CDLL(None, use_errno=True).prctl
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}.get(platform.machine())  # glibc has no function for it


class ProgramMissing(KinodomError):
    """The program is not installed."""

    code = "program_missing"
    title = "A program is missing"


class ProgramTimeout(KinodomError):
    """The program ran longer than it may and was killed."""

    code = "program_timeout"
    title = "A program took too long"


class ProgramFailed(KinodomError):
    """The program ended with an error; the end of what it said is in the text."""

    code = "program_failed"
    title = "A program failed"


class ProgramStopped(KinodomError):
    """The caller asked to stop, and the program was killed."""

    code = "program_stopped"
    title = "Stopped"


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments. Made by the builders in `media_tools`, which know no free text."""

    program: Program
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use; `None` is no limit of ours."""

    cpu_s: int | None = None
    address_space_bytes: int | None = 6 * 1024**3
    file_size_bytes: int | None = None
    stdout_bytes: int = 32 * 1024**2  # more than this ends the child
    background: bool = False  # gets the processor and the disk only when nobody else wants them


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended."""

    returncode: int  # negative: killed by this signal
    stderr: str  # the last 8 KiB
    stdout: bytes


@dataclass(slots=True)
class _Talk:
    """What goes to and comes from one child."""

    feed: Feed
    on_line: Callable[[str], None] | None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: deque[int] = field(default_factory=lambda: deque(maxlen=_STDERR_TAIL_BYTES))


def run(
    command: Command,
    *,
    timeout_s: float,
    stdin_parts: Sequence[StdinPart] | None = None,
    cwd: Path | None = None,
    limits: Limits | None = None,
    on_line: Callable[[str], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run a program to its end and return how it ended, whatever the exit code.

    Args:
        command: from a builder.
        timeout_s: wall time after which the program and its children are killed.
        stdin_parts: files, or what gives bytes, that are streamed into standard input in this order; None: no input.
        cwd: working folder; None: the root, so that no relative name can mean anything.
        limits: None: the defaults of `Limits`.
        on_line: called with each whole line of standard output, which is then not kept.
        stopped: asked a few times a second; when it says yes the program is killed.

    Raises:
        ProgramMissing: it is not installed.
        ProgramTimeout: it ran too long.
        ProgramStopped: `stopped` said yes.
    """
    child = _start(command, cwd or Path("/"), limits or Limits(), with_input=stdin_parts is not None)
    talk = _Talk(Feed(stdin_parts or ()), on_line)
    try:
        _converse(child, talk, command, time.monotonic() + timeout_s, limits or Limits(), stopped)
    finally:
        # Also on the way of an exception from outside: RQ's time limit and hand-back arrive as exceptions.
        _end(child)
        talk.feed.close()
    return Finished(
        returncode=child.returncode, stderr=bytes(talk.stderr).decode(errors="replace"), stdout=bytes(talk.stdout)
    )


def most_open_files() -> int:
    """Return how many files a child may have open at a time."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _OPEN_FILES if most == resource.RLIM_INFINITY else min(_OPEN_FILES, most)


def checked(finished: Finished, program: Program) -> Finished:
    """Return it when the program ended well.

    Raises:
        NoSpace: the disk is full.
        ProgramFailed: any other end.
    """
    if finished.returncode == 0:
        return finished
    if os.strerror(errno.ENOSPC) in finished.stderr:
        raise NoSpace("The disk is full. What was downloaded is kept; free some space and it goes on.")
    last = " / ".join(finished.stderr.strip().splitlines()[-3:])[-400:]
    raise ProgramFailed(
        f"{program} ended with {finished.returncode}: {last or 'it said nothing'}", returncode=finished.returncode
    )


def _start(command: Command, cwd: Path, limits: Limits, *, with_input: bool) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    most_files = most_open_files()

    def prepare() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the kernel knew whom to tell
            os._exit(127)
        if limits.background:
            os.nice(19)
            if _IOPRIO_SET is not None:
                _syscall(_IOPRIO_SET, 1, 0, 3 << 13)  # this process, class idle
        for which, value in (
            (resource.RLIMIT_CPU, limits.cpu_s),
            (resource.RLIMIT_AS, limits.address_space_bytes),
            (resource.RLIMIT_FSIZE, limits.file_size_bytes),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, most_files),
        ):
            if value is not None:
                resource.setrlimit(which, (value, value))

    try:
        return subprocess.Popen(
            # Our own Python is the one that has our packages.
            [sys.executable if command.program == "python" else command.program, *command.arguments],
            stdin=subprocess.PIPE if with_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=_ENVIRONMENT,
            start_new_session=True,
            preexec_fn=prepare,
            bufsize=0,
        )
    except FileNotFoundError as exc:
        raise ProgramMissing(
            f"{command.program} is not installed. Install it with: apt-get install ffmpeg", program=command.program
        ) from exc


def _converse(
    child: subprocess.Popen[bytes],
    talk: _Talk,
    command: Command,
    deadline_s: float,
    limits: Limits,
    stopped: Callable[[], bool],
) -> None:
    """Feed and read until the child has closed its outputs and is gone."""
    with selectors.DefaultSelector() as selector:
        if child.stdin is not None:
            widen(child.stdin.fileno())
        for pipe, events in (
            (child.stdin, selectors.EVENT_WRITE),
            (child.stdout, selectors.EVENT_READ),
            (child.stderr, selectors.EVENT_READ),
        ):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, events)
        while True:
            if time.monotonic() > deadline_s:
                raise ProgramTimeout(f"{command.program} took too long and was stopped.", program=command.program)
            if stopped():
                raise ProgramStopped(f"{command.program} was stopped.", program=command.program)
            if not any(pipe in (child.stdout, child.stderr) for pipe in _open_pipes(selector)):
                if child.poll() is not None:
                    return
                time.sleep(0.005)  # outputs are closed; only the exit code is missing
                continue
            for key, _events in selector.select(_LOOK_S):
                pipe = cast("IO[bytes]", key.fileobj)
                going_on = _write(pipe, talk) if pipe is child.stdin else _read(pipe, child, talk, limits)
                if not going_on:
                    selector.unregister(pipe)
                    pipe.close()


def _open_pipes(selector: selectors.BaseSelector) -> list[object]:
    return [key.fileobj for key in selector.get_map().values()]


def _write(pipe: IO[bytes], talk: _Talk) -> bool:
    """Write some input; return whether there may be more."""
    try:
        return talk.feed.give(pipe.fileno())
    except BlockingIOError:
        return True
    except BrokenPipeError:  # it has read what it needs (ffprobe), or is gone; the exit code tells
        return False


def _read(pipe: IO[bytes], child: subprocess.Popen[bytes], talk: _Talk, limits: Limits) -> bool:
    """Read some output; return whether there may be more."""
    block = os.read(pipe.fileno(), _BLOCK_BYTES)
    if pipe is child.stderr:
        talk.stderr.extend(block)
        return bool(block)
    talk.stdout += block
    if talk.on_line is not None:
        *lines, rest = talk.stdout.split(b"\n")
        talk.stdout = bytearray(rest)
        for line in lines:
            talk.on_line(line.decode(errors="replace"))
    if len(talk.stdout) > limits.stdout_bytes:
        raise ProgramFailed("A program wrote more than it may.", written_bytes=len(talk.stdout))
    return bool(block)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group if it is still there, close the pipes and collect the exit code."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None and not pipe.closed:
            pipe.close()
