"""What of a film that is still coming lies on the disk, as the door looks at it many times a second."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_downloader.adapters.gathered import Gathered, copied
from kinodom_downloader.adapters.library import PARTS
from kinodom_downloader.adapters.live_folder import LIVE
from kinodom_downloader.domain.live import FACTS, piece_file, piece_path
from kinodom_downloader.domain.track_heads import NotPlain

if TYPE_CHECKING:
    from kinodom_downloader.domain.live import Spot


class LivePieces:
    """The port `Pieces` of the door."""

    def __init__(self, media_root: Path) -> None:
        self._work = str(media_root / "work")

    def has_file(self, wish_id: str, file: str) -> bool:
        """Tell whether a file for players is there."""
        return os.path.exists(f"{self._work}/{wish_id}/{LIVE}/{file}")  # noqa: PTH110 - many times a second

    def has_piece(self, wish_id: str, generation: str, spot: Spot) -> bool:
        """Tell whether a piece is there, and give it a second name among the files for players.

        Its own may go away at any moment, when it is gathered; one that is gathered already is cut out again.
        """
        parts = f"{self._work}/{wish_id}/{PARTS}/"
        place = f"{self._work}/{wish_id}/{LIVE}/{generation}/{piece_file(spot)}"
        try:
            os.link(parts + piece_path(spot.track, spot.index), place)
        except FileExistsError:
            return True
        except OSError:  # it is not there, or this disk knows no second names
            return self._put_out(Path(parts), Path(place), spot)
        return True

    def _put_out(self, parts: Path, place: Path, spot: Spot) -> bool:
        own = parts / piece_path(spot.track, spot.index)
        gathered = Gathered.found(own.parent)
        try:
            if gathered is not None and gathered.length(spot.index) is not None:
                gathered.cut_out(spot.index, place)
            else:
                copied(own, place)
        except (FileNotFoundError, NotPlain):  # the latter: spoilt by a power cut, and not looked through yet
            return False
        return True

    def is_cut(self, wish_id: str, generation: str) -> bool | None:
        """Tell whether this is the present cutting; None: there is no plan yet."""
        if self.has_file(wish_id, generation):
            return True
        return False if self.has_file(wish_id, FACTS) else None
