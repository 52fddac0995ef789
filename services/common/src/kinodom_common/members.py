"""The token with which a browser shows the sync service who it is. The gateway signs it, sync reads it."""

from __future__ import annotations

from dataclasses import dataclass

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from kinodom_common.errors import Forbidden

SALT = "member"
MAX_AGE_S = 24 * 3600
ID_LIMIT = 64  # characters
NAME_LIMIT = 200


class BadToken(Forbidden):
    """Nobody we know signed this token, or it was long ago."""

    code = "bad_token"
    title = "We cannot tell who you are"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMember:
    """Who a token speaks for."""

    member_id: str
    name: str  # as the person gave it: clean before showing


class MemberTokens:
    """Makes and reads tokens.

    Args:
        key: the house's member key, the same in the gateway and in sync.
    """

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt=SALT)

    def sign(self, member_id: str, name: str) -> str:
        """Return a token that is good for a day."""
        return str(self._serializer.dumps({"m": member_id, "n": name}))

    def read(self, token: str) -> TokenMember:
        """Return who the token speaks for.

        Raises:
            BadToken: it is forged, damaged or more than a day old.
        """
        try:
            payload = self._serializer.loads(token, max_age=MAX_AGE_S)
        except SignatureExpired as exc:
            raise BadToken("This page has been open for more than a day. Load it again; nothing is lost.") from exc
        except BadSignature as exc:
            raise BadToken("The signature does not fit. Load the page again.") from exc
        match payload:
            case {"m": str(member_id), "n": str(name)} if 0 < len(member_id) <= ID_LIMIT and len(name) <= NAME_LIMIT:
                return TokenMember(member_id=member_id, name=name)
        raise BadToken("The token holds something else than a member. Load the page again.")
