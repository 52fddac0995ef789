"""The fetch engine is light by itself: what it does not need for a plain film is not imported with it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "asyncio", "certifi", "cryptography", "flask", "lxml", "pydantic", "pymongo", "redis", "requests", "rq",
    "structlog", "urllib3", "xml",
)  # fmt: skip


def test_the_engine_is_imported_without_anything_heavy() -> None:
    ask = "import sys, kinodom_downloader.adapters.engine; print(*sys.modules)"

    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)

    imported = {name.partition(".")[0] for name in said.stdout.split()}
    assert "kinodom_downloader" in imported
    assert imported & set(HEAVY) == set()
