"""Workers of the downloader as real containers of its image; whoever dies is started again at once, like an operator
or an orchestrator does. (Docker's own restart policy waits longer after each death, which a storm of kills outgrows.)
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IMAGE = "kinodom/downloader"


def docker(*words: str, timeout_s: float = 120.0) -> str:
    """Run the Docker client and return what it printed."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout_s, check=True).stdout


class WorkerContainers:
    """Containers that share the host's network and one folder with the test."""

    def __init__(self, count: int, folder: Path, environ: Mapping[str, str], log: Path) -> None:
        told = [f"--env={name}={value}" for name, value in environ.items() if name.startswith("KINODOM_")]
        who = f"--user={os.getuid()}:{os.getgid()}"
        place = ("--init", "--network=host", "--read-only", "--tmpfs=/tmp", who, f"--volume={folder}:{folder}")
        words = ("python", "-m", "kinodom_downloader.worker")
        self._names = [docker("create", *place, *told, IMAGE, *words).strip() for _ in range(count)]
        self._over = threading.Event()
        self._log = log
        self._keepers = [threading.Thread(target=self._keep, args=(name,)) for name in self._names]
        for keeper in self._keepers:
            keeper.start()

    def pids(self) -> list[int]:
        """Return the first processes of the living containers, as this machine counts; with it all dies."""
        told = docker("inspect", "--format", "{{.State.Pid}}", *self._names).split()
        return [int(pid) for pid in told if pid != "0"]

    def stop(self) -> None:
        """Kill and remove all."""
        self._over.set()
        for name in self._names:
            with suppress(subprocess.CalledProcessError):  # it is dead already
                docker("kill", name)
        for keeper in self._keepers:
            keeper.join()
        with self._log.open("ab") as log:
            for name in self._names:
                told = subprocess.run(["docker", "logs", name], capture_output=True, check=False)
                log.write(told.stdout + told.stderr)
        docker("rm", "--force", *self._names)

    def _keep(self, name: str) -> None:
        while not self._over.is_set():
            docker("start", name)
            docker("wait", name, timeout_s=3600.0)
