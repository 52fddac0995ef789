"""Checks before anything starts, each ending in one sentence that says what to do."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_house.refusals import (
    AlreadyRunningError,
    PortTakenError,
    ProgramMissingError,
    PythonTooOldError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLDEST_PYTHON = (3, 11)
_LISTENING = "0A"  # state of a socket in /proc/net/tcp


def check_python(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Refuse a Python the code does not run on."""
    if version < OLDEST_PYTHON:
        wanted, found = (".".join(str(part) for part in parts) for parts in (OLDEST_PYTHON, version))
        raise PythonTooOldError(f"Kinodom needs Python {wanted} or newer, and this is {found}.")


def find_programs(packages: Mapping[str, str], path: str) -> dict[str, str]:
    """Return where each program is; refuse when some are missing, with the one line to type.

    Args:
        packages: names of programs, and the Debian package each comes in.
        path: folders to look in, as in PATH.
    """
    found = {name: shutil.which(name, path=path) for name in packages}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        raise ProgramMissingError(
            f"Not installed: {', '.join(missing)}. On Debian and Ubuntu type: sudo apt-get install -y "
            + " ".join(sorted({packages[name] for name in missing}))
        )
    return {name: place for name, place in found.items() if place is not None}


def check_port(port: int, bind: str) -> None:
    """Refuse a port that somebody else listens on, saying who if that can be known."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except PermissionError as exc:
            raise PortTakenError(
                f"Port {port} may only be used by root: choose another with KINODOM_PORT=8080 make run."
            ) from exc
        except OSError as exc:
            who = listener_of(port)
            by = f" by {who}" if who else ""
            other = port + 1 if port < 65535 else 8080
            raise PortTakenError(
                f"Port {port} is taken{by}: stop that, or choose another with KINODOM_PORT={other} make run."
                if exc.errno == 98
                else f"Port {port} on {bind} cannot be used: {exc.strerror}."
            ) from exc


def listener_of(port: int, proc: Path = Path("/proc")) -> str | None:
    """Return "name (process N)" of who listens on a port, or None when that cannot be seen."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)}
    for folder in proc.glob("[0-9]*"):
        try:
            if any(_reads(link) in sockets for link in (folder / "fd").iterdir()):
                return f"{(folder / 'comm').read_text().strip()} (process {folder.name})"
        except OSError:
            continue  # somebody else's process, or one that has just ended
    return None


def _reads(link: Path) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - not a path: "socket:[1]"
    except FileNotFoundError:
        return ""  # closed since the folder was listed


def _inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]


@contextmanager
def only_house(run: Path) -> Iterator[None]:
    """Hold the data folder for the length of the block; refuse when another house holds it.

    The lock is the kernel's, so it ends with the process, however that ends.
    """
    path = run / "house.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise AlreadyRunningError(
                f"Kinodom already runs with the data folder {run.parent} (process {holder}): stop it first, or use "
                "another folder with KINODOM_DATA=/path make run."
            ) from exc
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """Return a free loopback port for each name; all are held until all are found, so that no two are the same."""
    held = [socket.socket() for _ in names]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return {name: int(one.getsockname()[1]) for name, one in zip(names, held, strict=True)}
    finally:
        for one in held:
            one.close()


def lan_address() -> str | None:
    """Return this machine's address on the home network, or None; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for examples (RFC 5737): only the route is looked up
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address
