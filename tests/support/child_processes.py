"""Python functions run in other processes."""

from __future__ import annotations

import subprocess  # tests start processes of their own
import sys
from pathlib import Path


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python process that finds our packages as this one does."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
