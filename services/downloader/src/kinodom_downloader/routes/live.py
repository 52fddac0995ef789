"""The door for Nginx: pieces of films that are still coming. It answers where the file lies, never with the file."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import StringConstraints, TypeAdapter

from kinodom_common.openapi import describes, part_of_path
from kinodom_downloader.domain.door import wait_for_file, wait_for_piece
from kinodom_downloader.domain.live import FACTS, HAVE, SLICE_BYTES, Spot, piece_file
from kinodom_downloader.wiring import deps

bp = Blueprint("live", __name__)

WISH: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")])
GENERATION: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")])
LIST: TypeAdapter[str] = TypeAdapter(
    Annotated[str, StringConstraints(pattern=r"^(master|t\d{1,3})\.m3u8$|^s\d{1,3}\.vtt$")]
)
PROBLEMS = ("not_coming", "still_coming", "no_such_wish", "bad_request")


@bp.get(f"/live/<wish_id>/<any('{FACTS}', '{HAVE}'):file>")
@describes(problems=PROBLEMS)
def facts(wish_id: str, file: str) -> Response:
    """Wait until a film can be begun, and say where its facts lie."""
    wish_id = part_of_path(WISH, wish_id)
    wait_for_file(wish_id, file, door=deps().door)
    return _lies_at(f"{wish_id}/live/{file}")


@bp.get("/live/<wish_id>/<generation>/<file>")
@describes(problems=(*PROBLEMS, "other_pieces"))
def playlist(wish_id: str, generation: str, file: str) -> Response:
    """Wait for a playlist or for subtitles."""
    wish_id, place = part_of_path(WISH, wish_id), f"{part_of_path(GENERATION, generation)}/{part_of_path(LIST, file)}"
    wait_for_file(wish_id, place, door=deps().door)
    return _lies_at(f"{wish_id}/live/{place}")


@bp.get("/live/<wish_id>/<generation>/pieces/<int:track>/<int:index>")
@describes(problems=(*PROBLEMS, "other_pieces", "left_out"))
def piece(wish_id: str, generation: str, track: int, index: int) -> Response:
    """Wait for a piece of a film in segments."""
    wish_id, generation, spot = part_of_path(WISH, wish_id), part_of_path(GENERATION, generation), Spot(track, index)
    wait_for_piece(wish_id, generation, spot, door=deps().door)
    return _lies_at(f"{wish_id}/live/{generation}/{piece_file(spot)}")


@bp.get("/live/<wish_id>/<generation>/slices/<int:offset>")
@describes(problems=(*PROBLEMS, "other_pieces"))
def film_slice(wish_id: str, generation: str, offset: int) -> Response:
    """Wait for a slice of a single file."""
    wish_id, generation = part_of_path(WISH, wish_id), part_of_path(GENERATION, generation)
    spot, mark = Spot(0, offset // SLICE_BYTES), f"{generation}/have/{offset}"
    wait_for_piece(wish_id, generation, spot, file=mark, door=deps().door)
    return _lies_at(f"{wish_id}/live/{generation}/film")


def _lies_at(path: str) -> Response:
    return Response(headers={"X-Accel-Redirect": f"/live-files/{path}"})
