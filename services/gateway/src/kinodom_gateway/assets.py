"""Names of the built front-end files: each holds the hash of its content, so that browsers keep it for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError

if TYPE_CHECKING:
    from pathlib import Path


class FrontEndMissing(KinodomError):
    """The front end was not built."""

    code = "front_end_missing"


class Assets:
    """Looks names up in the manifest that the build wrote."""

    def __init__(self, static_root: Path) -> None:
        self._manifest = static_root / "manifest.json"
        self._names: dict[str, str] = {}

    def check(self) -> None:
        """Return when the front end is there; raises FrontEndMissing."""
        try:
            self._names = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise FrontEndMissing("The front end is not built. Run make front-end and start again.") from exc

    def url(self, name: str) -> str:
        """Return the address of a built file by its plain name, such as `app.js`."""
        if name not in self._names:
            self.check()
        return f"/static/{self._names.get(name, name)}"
