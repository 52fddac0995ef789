"""What curl and ffmpeg make of the bad hosts: identical, failed (any exit code but 0, or 10 s), or a silent hole."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tests.support import origin
from tests.support.bad_origins import IDENTICAL, put_film, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.bad_origins import Case, Film
    from tests.support.origin import Origin

PATIENCE_S = 10


def with_curl(case: Case) -> str:
    """Return what `curl -L --fail` of every address in the list, joined, comes to."""

    def run(host: Origin, folder: Path) -> bytes | None:
        entry = f"{host.address}{case.path}"
        urls = [entry]
        if case.delivery == "hls":
            text = _curl(folder, entry)
            if text is None:
                return None
            init = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', text.decode("utf-8", "replace"))
            lines = [line for line in text.decode("utf-8", "replace").splitlines() if line and line[0] != "#"]
            urls = list(dict.fromkeys(urljoin(entry, line) for line in (*init, *lines)))
        bodies = [_curl(folder, url) for url in urls]
        return None if None in bodies else b"".join(body for body in bodies if body is not None)

    return "" if case.film == "aes" or case.delivery == "dash" else _judged(case, run, truth)


def with_ffmpeg(case: Case) -> str:
    """Return what `ffmpeg -c copy` comes to, compared with what it makes of the same film from an honest host."""

    def run(host: Origin, folder: Path) -> bytes | None:
        kept = folder / "out.ts"
        words = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", f"{host.address}{case.path}", "-c", "copy"]
        try:
            ended = subprocess.run([*words, str(kept)], capture_output=True, timeout=PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            return None
        return kept.read_bytes() if ended.returncode == 0 and kept.exists() else None

    def honest(film: Film) -> bytes:
        with origin.origin() as host, tempfile.TemporaryDirectory() as folder:
            put_film(host, film)
            return run(host, Path(folder)) or b""

    return "" if case.film == "webm" else _judged(case, run, honest)


def _curl(folder: Path, url: str) -> bytes | None:
    kept = folder / "body"
    kept.unlink(missing_ok=True)
    words = ["curl", "-sSL", "--fail", "--retry", "3", "--retry-delay", "1", "--max-time", "4", "-o", str(kept), url]
    ended = subprocess.run(words, capture_output=True, timeout=4 * PATIENCE_S, check=False)
    if ended.returncode != 0:
        return None
    return kept.read_bytes() if kept.exists() else b""


def _judged(case: Case, run: Callable[[Origin, Path], bytes | None], honest: Callable[[Film], bytes]) -> str:
    with origin.origin() as host, tempfile.TemporaryDirectory() as folder:
        put_film(host, case.film)
        case.spoil(host)
        got = run(host, Path(folder))
    if got is None:
        return "failed"
    return IDENTICAL if got == honest(case.film) else "silent hole"


PEERS = {"curl": with_curl, "ffmpeg": with_ffmpeg}
