"""Scripts: the operator's own programs, known by a token instead of a cookie."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256

SHORTEST = 24
TOKEN = re.compile(rf"[A-Za-z0-9._~+/=-]{{{SHORTEST},200}}")
BEARER = "Bearer "
API = "/api/v1/"
SCRIPT = "script-"  # every viewer id of a script begins like this


def parse_tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a list with commas; raises ValueError for one that could be guessed."""
    tokens = tuple(one for one in (part.strip() for part in text.split(",")) if one)
    if not all(TOKEN.fullmatch(one) for one in tokens):
        raise ValueError(f"each token needs {SHORTEST} to 200 letters, digits or ._~+/=-, with commas between them")
    return tokens


class ApiTokens:
    """Compares what a call shows with the operator's tokens, in the same time whatever it shows."""

    def __init__(self, text: str = "") -> None:
        self._digests = tuple(sha256(token.encode()).digest() for token in parse_tokens(text))

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._digests)

    def script(self, authorization: str) -> str | None:
        """Return the viewer id of the script that shows one of the tokens; None: it shows none of them."""
        shown = sha256(authorization.removeprefix(BEARER).strip().encode()).digest()
        fits = [hmac.compare_digest(shown, digest) for digest in self._digests]
        return f"{SCRIPT}{shown.hex()[:16]}" if any(fits) else None
