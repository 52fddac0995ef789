"""Pictures of titles, fetched through the guard, named after their content, and served by Nginx."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

from kinodom_common.egress import OutsideClient, OutsideTooLarge
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_common.ids import new_id
from kinodom_common.logs import get_log

log = get_log(__name__)

LARGEST_BYTES: Final = 5 * 1024 * 1024
_SMALLEST_BYTES: Final = 100


class CoverNotKept(UpstreamFailed):
    """The disk did not take the picture."""

    code = "cover_not_kept"


class DiskCovers:
    """Covers in one folder; each file appears whole."""

    def __init__(self, outside: OutsideClient, root: Path) -> None:
        self._outside = outside
        self._root = root

    def keep(self, url: str) -> str | None:
        """Fetch a picture and return its file name; `None` when there is no usable picture at that address."""
        try:
            reply = self._outside.get(url, headers={"Accept": "image/*"}, max_bytes=LARGEST_BYTES)
        except (NotFound, Rejected, OutsideTooLarge) as exc:
            log.warning("cover_refused", code=exc.code, detail=exc.detail)
            return None
        ending = picture_ending(reply.body)
        if ending is None:
            log.warning("cover_refused", code="no_picture", bytes=len(reply.body))
            return None
        return self._write(reply.body, f"{hashlib.sha256(reply.body).hexdigest()[:32]}.{ending}")

    def _write(self, body: bytes, name: str) -> str:
        target = self._root / name
        staged = self._root / f".{new_id()}.part"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return name
            with staged.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            staged.chmod(0o644)
            staged.replace(target)
        except OSError as exc:
            with contextlib.suppress(OSError):
                staged.unlink()
            raise CoverNotKept(f"The cover could not be written ({exc.strerror}). Look at the disk.") from exc
        return name


def picture_ending(body: bytes) -> str | None:
    """Return `jpg`, `png` or `webp` by the first bytes; `None` for anything else, whatever it is called."""
    if len(body) < _SMALLEST_BYTES:
        return None
    if body.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "webp" if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None
