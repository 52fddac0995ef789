"""What of a film that is still coming lies on the disk, as the door looks at it many times a second."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kinodom_downloader.adapters.library import PARTS
from kinodom_downloader.adapters.live_folder import LIVE
from kinodom_downloader.domain.live import FACTS, piece_path

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_downloader.domain.live import Spot


class LivePieces:
    """The port `Pieces` of the door."""

    def __init__(self, media_root: Path) -> None:
        self._work = str(media_root / "work")

    def has_file(self, wish_id: str, file: str) -> bool:
        """Tell whether a file for players is there."""
        return os.path.exists(f"{self._work}/{wish_id}/{LIVE}/{file}")  # noqa: PTH110 - many times a second

    def has_piece(self, wish_id: str, spot: Spot) -> bool:
        """Tell whether a piece is there."""
        path = f"{self._work}/{wish_id}/{PARTS}/{piece_path(spot.track, spot.index)}"
        return os.path.exists(path)  # noqa: PTH110 - many times a second

    def is_cut(self, wish_id: str, generation: str) -> bool | None:
        """Tell whether this is the present cutting; None: there is no plan yet."""
        if self.has_file(wish_id, generation):
            return True
        return False if self.has_file(wish_id, FACTS) else None
