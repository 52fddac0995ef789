"""The door for what is not there yet: whoever asks waits here until the engine has put it on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_downloader.domain import asking
from kinodom_downloader.domain.live import gone_file
from kinodom_downloader.domain.watching import HOPEFUL_WAITS
from kinodom_downloader.domain.wishes import is_held

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.domain.asking import Desk
    from kinodom_downloader.domain.live import Spot
    from kinodom_downloader.domain.wishes import StoredWish

WAIT_S = 20.0
LOOK_S = 0.01  # at the disk
ASK_S = 1.0  # at the wish, whether anybody still works on it
HUNGRY_AFTER_S = 0.3


class NotComing(NotFound):
    """Nobody fetches this film any more: it was refused, paused or deleted. Facts: `state`, `reason_code`."""

    code = "not_coming"
    title = "This film is not coming"


class OtherPieces(NotFound):
    """The film is cut into other pieces now, because it comes from another place; ask for `live.json` again."""

    code = "other_pieces"
    title = "The film goes on from another place"


class LeftOut(NotFound):
    """No source has this piece, and the film comes without it; `live.json` says which stretches are missing."""

    code = "left_out"
    title = "No source has this part"


class StillComing(UpstreamFailed):
    """It did not come within the time that a player waits."""

    code = "still_coming"
    title = "It has not come yet"


class Pieces(Protocol):
    """What of a film lies on the disk."""

    def has_file(self, wish_id: str, file: str) -> bool:
        """Tell whether a file for players is there, such as `live.json` or `<generation>/t0.m3u8`."""

    def has_piece(self, wish_id: str, generation: str, spot: Spot) -> bool:
        """Tell whether a piece is there; then it lies among the files for players of this cutting."""

    def is_cut(self, wish_id: str, generation: str) -> bool | None:
        """Tell whether this is the present cutting; None: there is no plan yet."""


class Wants(Protocol):
    """The wire to whoever fetches."""

    def want(self, wish_id: str, spot: Spot) -> None:
        """Tell whoever fetches this film that a viewer waits for this piece; may be lost."""

    def hungry(self, wish_id: str) -> None:
        """Tell all who fetch other films that a viewer of this one waits; may be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Everything the door works with."""

    desk: Desk
    pieces: Pieces
    wants: Wants
    clock: Callable[[], float]  # monotonic, seconds
    pause: Callable[[float], None]


def wait_for_file(wish_id: str, file: str, *, door: Door) -> None:
    """Return when a file for players is there.

    Raises:
        NotComing: nobody fetches this film. StillComing: it took too long.
    """
    _wait(wish_id, lambda: door.pieces.has_file(wish_id, file), lambda: None, door)


def wait_for_piece(wish_id: str, generation: str, spot: Spot, *, file: str | None = None, door: Door) -> None:
    """Return when a piece of this cutting is there; it is fetched before all else.

    Args:
        file: which says that it is there; None: the piece itself.

    Raises:
        OtherPieces: the film is cut anew. LeftOut: it comes without this piece. NotComing, StillComing: as above.
    """

    def is_there() -> bool:
        if door.pieces.is_cut(wish_id, generation) is False:
            raise OtherPieces("The film goes on from another place. The player asks again by itself.")
        if not file and door.pieces.has_file(wish_id, f"{generation}/{gone_file(spot)}"):
            raise LeftOut("No source has this part of the film. The player goes on behind it.")
        return door.pieces.has_file(wish_id, file) if file else door.pieces.has_piece(wish_id, generation, spot)

    _wait(wish_id, is_there, lambda: door.wants.want(wish_id, spot), door)


def _wait(wish_id: str, is_there: Callable[[], bool], ask: Callable[[], None], door: Door) -> None:
    if is_there():
        return
    began_s = asked_s = door.clock()
    _look(asking.view(wish_id, desk=door.desk))
    ask()
    while not is_there():
        now_s = door.clock()
        if now_s - began_s >= WAIT_S:
            raise StillComing("The source is slow: this part has not come yet. Press Retry, or wait a little.")
        if now_s - began_s >= HUNGRY_AFTER_S:
            door.wants.hungry(wish_id)
        if now_s - asked_s >= ASK_S:
            asked_s = now_s
            wish = door.desk.wishes.get(wish_id)
            _look(wish)
            if not is_held(wish, now_s=door.desk.clock()):  # its worker died: the next one hears of it anew
                asking.view(wish_id, desk=door.desk)
                ask()
        door.pause(LOOK_S)


def _look(wish: StoredWish) -> None:
    hopeless = wish.state == "waiting" and (wish.waits > HOPEFUL_WAITS or wish.reason_code == "no_space")
    if hopeless or wish.state in ("refused", "paused", "ready"):
        raise NotComing(
            wish.reason or "Nobody fetches this film any more. Open its page to get it again.",
            state=wish.state,
            reason_code=wish.reason_code,
        )
