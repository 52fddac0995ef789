"""Runs a supervisor over stand-ins in a process of its own, as signals and the death signal need.

    python -m tests.support.supervise FOLDER < PLAN        PLAN: JSON, groups of {"name", "arguments", "port" or
"probe_port"}
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from kinodom_house.child import Process
from kinodom_house.probes import HttpProbe
from kinodom_house.refusals import HouseRefusedError
from kinodom_house.supervisor import Supervisor


def main() -> None:
    """Run until stopped; exit with 1 and the reason when the house breaks."""
    folder = Path(sys.argv[1])
    plan = json.load(sys.stdin)
    repository = Path(__file__).parents[2]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(repository)}

    def process(part: dict[str, object]) -> Process:
        arguments = [str(argument) for argument in part["arguments"]]  # type: ignore[attr-defined]
        port = part.get("port")
        command = (
            sys.executable,
            "-m",
            "tests.support.stand_in",
            str(part["name"]),
            str(folder / "events"),
            *arguments,
        )
        if isinstance(port, int):
            command = (*command, "--port", str(port))
        asked = part.get("probe_port", port)
        probe = HttpProbe(asked) if isinstance(asked, int) else None
        return Process(name=str(part["name"]), command=command, environ=environ, probe=probe, grace_s=0.5)

    groups = [[process(part) for part in group] for group in plan]
    supervisor = Supervisor(groups, folder=folder, logs=folder, start_limit_s=float(sys.argv[2]))
    try:
        supervisor.run(lambda: print("open", flush=True))
    except HouseRefusedError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
