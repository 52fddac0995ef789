"""Runs yt-dlp in a child that can be killed, with limits, behind the egress proxy."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_common.processes import Command, Limits, ProgramFailed, ProgramTimeout, run
from kinodom_resolver.adapters.egress_proxy import egress_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.egress import EgressRules

CHILD: Final = Path(__file__).with_name("ytdlp_child.py")
AT_ONCE: Final = 2  # a child holds some 100 MB
LIMITS: Final = Limits(cpu_s=30, address_space_bytes=1024**3, file_size_bytes=4 * 1024**2, stdout_bytes=16 * 1024**2)
ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S*", re.IGNORECASE)
LINK: Final = re.compile(r"\(?\b[a-z]+://\S+", re.IGNORECASE)


class YtDlpFailed(UpstreamFailed):
    """yt-dlp knows the site and could not read the page; its own words are in the text."""

    code = "ytdlp_failed"
    title = "yt-dlp could not read that page"


class YtDlpTimeout(UpstreamFailed):
    """yt-dlp took too long and was killed."""

    code = "ytdlp_timeout"
    title = "yt-dlp took too long"


class YtDlpUnknown(NotFound):
    """No extractor that is allowed here knows the address."""

    code = "no_such_title"


@dataclass(frozen=True, slots=True, kw_only=True)
class YtDlpRuns:
    """Extractions, one child each.

    Args:
        rules: what the child may call, through the proxy.
        extractors: allow list as yt-dlp reads it; the generic one is never allowed.
        timeout_s: wall time of one extraction.
        cookies: file in Netscape's format; yt-dlp writes to its cookies, so each run gets a copy.
        authorities: file of authorities to trust in place of the public ones.
        limits: of the child.
    """

    rules: EgressRules
    extractors: tuple[str, ...]
    timeout_s: float
    cookies: Path | None = None
    authorities: Path | None = None
    limits: Limits = LIMITS
    child: Path = CHILD
    slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def extract(self, address: str) -> Mapping[str, object]:
        """Return what yt-dlp says of an address, as JSON values.

        Raises:
            YtDlpUnknown: nobody there knows it.
            YtDlpFailed, YtDlpTimeout: could not ask.
            AddressRefused: it led to where the house does not go.
        """
        if not ADDRESS.fullmatch(address):
            raise YtDlpUnknown("This is not an address that yt-dlp knows.")
        if not self.slots.acquire(timeout=self.timeout_s):
            raise YtDlpTimeout("yt-dlp is busy with other pages. Try again in a minute.")
        try:
            return self._extract(address)
        finally:
            self.slots.release()

    def _extract(self, address: str) -> Mapping[str, object]:
        with tempfile.TemporaryDirectory(prefix="kinodom-ytdlp-") as folder, egress_proxy(self.rules) as proxy:
            job = self._job(address, proxy.url, Path(folder))
            command = Command("python", ("-I", "-B", str(self.child), str(job)))
            try:
                finished = run(command, timeout_s=self.timeout_s, cwd=Path(folder), limits=self.limits)
            except ProgramTimeout as exc:
                raise YtDlpTimeout("yt-dlp took too long over this page and was stopped. Try again later.") from exc
            except ProgramFailed as exc:
                raise YtDlpFailed("yt-dlp said more about this page than anybody could need.") from exc
        answer = _answer(finished.stdout)
        facts = answer.get("facts")
        if isinstance(facts, dict):
            return facts
        if answer.get("problem") == "unsupported":
            raise YtDlpUnknown("yt-dlp knows no site with this address, or this site is not among those allowed here.")
        if proxy.refused:
            raise proxy.refused[0]
        raise YtDlpFailed(f"yt-dlp could not read this page: {_plain(str(answer.get('words') or 'it broke'))}")

    def _job(self, address: str, proxy: str, folder: Path) -> Path:
        cookies = _copied(self.cookies, folder / "cookies.txt")
        authorities = _copied(self.authorities, folder / "authorities.pem")
        job = folder / "job.json"
        job.touch(mode=0o600)
        told = {
            "address": address,
            "extractors": [*self.extractors, "-generic"],
            "proxy": proxy,
            "folder": str(folder),
            "cookies": str(cookies) if cookies else None,
            "authorities": str(authorities) if authorities else None,
        }
        job.write_text(json.dumps(told), encoding="utf-8")
        return job


def _copied(file: Path | None, copy: Path) -> Path | None:
    """Return a copy that only this run reads and writes; None when there is nothing to copy."""
    if file is None or not file.is_file():
        return None
    copy.touch(mode=0o600)
    shutil.copyfile(file, copy)
    return copy


def _answer(stdout: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(stdout)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _plain(words: str) -> str:
    """Return the first sentence or so, without addresses (they may be signed) and appeals to report bugs."""
    line = LINK.sub("…", words.split("; please report", 1)[0])
    return " ".join("".join(char if char.isprintable() else " " for char in line).split())[:200]
