"""Tickets for films that leave the house: who holds one may have the film, for a minute."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeTimedSerializer

from kinodom_common.errors import Forbidden

LIFE_S = 60


class BadTicket(Forbidden):
    """The ticket is forged, or older than a minute."""

    code = "bad_ticket"
    title = "The ticket is not good"


class Tickets:
    """Makes and reads tickets.

    Args:
        key: of the house; the ticket does not tell it.
    """

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="export")

    def sign(self, video_id: str) -> str:
        """Return a ticket for a video."""
        return str(self._serializer.dumps(video_id))

    def read(self, ticket: str) -> str:
        """Return the video that a ticket is for. Raises BadTicket."""
        try:
            return str(self._serializer.loads(ticket, max_age=LIFE_S))
        except BadSignature as exc:  # also when it is too old
            raise BadTicket("This link has lapsed. Open the page of the film and press Save again.") from exc
