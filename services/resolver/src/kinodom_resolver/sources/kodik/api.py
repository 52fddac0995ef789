"""Kodik's catalogue API: forms go in, JSON comes out, also with status 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from kinodom_common.egress import OutsideBadStatus, OutsideNotFound
from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.sources.reading import mapping_of, mappings_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_resolver.domain.ports import Outside
    from kinodom_resolver.sources.kodik.typed import Field, Lookup

MOST_RESULTS: Final = 100  # the API's own limit; it has no second page for a search
MOST_BYTES: Final = 8_000_000  # twelve hundred episodes in thirty voices are 3 MB; much more does not fit the memory
ERROR_BYTES: Final = 20_000
ID_OF_FIELD: Final[Mapping[Field, str]] = {  # `/get-player` has names of its own
    "shikimori_id": "shikimoriID",
    "kinopoisk_id": "kinopoiskID",
    "imdb_id": "imdbID",
    "id": "ID",
}


class KodikTokenRefused(UpstreamFailed):
    """The token is unknown, revoked, or may not do this."""

    code = "kodik_token_refused"
    title = "Kodik does not take the token"


class KodikRefused(UpstreamFailed):
    """Kodik named a mistake in the question."""

    code = "kodik_refused"


class KodikGarbled(UpstreamFailed):
    """Kodik's answer has a shape it never had."""

    code = "kodik_garbled"


class KodikApi:
    """The catalogue. The token goes out in forms only and is cut out of every answer before anybody reads it."""

    def __init__(self, base_url: str, token: str, outside: Outside) -> None:
        self._base = base_url.rstrip("/")
        self._token = token
        self._outside = outside

    def search(self, lookup: Lookup, *, episodes: bool) -> list[Mapping[str, object]]:
        """Return the results, one per voice of a title; empty when there are none.

        Args:
            lookup: what to search by.
            episodes: whether each result lists its seasons and episodes.
        """
        fields = {lookup.field: lookup.value, "limit": str(MOST_RESULTS), "with_material_data": "true"}
        if lookup.year is not None:
            fields["year"] = str(lookup.year)
        if episodes:
            fields["with_episodes"] = "true"
        results = self._ask("search", fields).get("results")
        if not isinstance(results, list):
            raise KodikGarbled("Kodik sent no list of titles. It may be overloaded; try again later.")
        return mappings_of(results)

    def player_link(self, lookup: Lookup, player_host: str) -> str | None:
        """Return the player page of an id, as Kodik wrote it; None when it has no such title or the id is of no use."""
        name = ID_OF_FIELD.get(lookup.field)
        if name is None:
            return None
        page = f"https://{player_host}/find-player?{urlencode({name: lookup.value})}"
        reply = self._ask("get-player", {"title": "Player", "hasPlayer": "false", "url": page, name: lookup.value})
        return text_of(reply.get("link"), longest=2000) if reply.get("found") is True else None

    def _ask(self, path: str, fields: Mapping[str, str]) -> Mapping[str, object]:
        form = {"token": self._token, **fields}
        try:
            page = self._outside.post_form(
                f"{self._base}/{path}", form, max_bytes=MOST_BYTES, bad_body_bytes=ERROR_BYTES
            )
        except OutsideBadStatus as exc:
            # Its own errors come as JSON with status 500; only without that is it trouble on the way.
            error = text_of(mapping_of(json_of(self._without_token(exc.body))).get("error"), longest=200)
            if error is None:
                raise
            raise _named(error) from exc
        except OutsideNotFound as exc:
            raise KodikGarbled(
                "There is no Kodik API at this address. It may have moved: KINODOM_KODIK_API_URL."
            ) from exc
        reply = json_of(self._without_token(page.body))
        if not isinstance(reply, dict):
            raise KodikGarbled("Kodik sent something that is not its catalogue. It may have moved or be overloaded.")
        if (error := text_of(reply.get("error"), longest=200)) is not None:
            raise _named(error)
        return reply

    def _without_token(self, body: bytes) -> bytes:
        for spelling in {self._token, quote(self._token, safe=""), json.dumps(self._token)[1:-1]}:
            body = body.replace(spelling.encode(), b"TOKEN")
        return body


def json_of(body: bytes) -> object:
    """Return the JSON value in a body; None when it is none."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


def is_token_error(error: str) -> bool:
    """Return whether Kodik complains of the token; the player says the same of old signatures."""
    return "токен" in error.lower() or "token" in error.lower()


def _named(error: str) -> UpstreamFailed:
    if is_token_error(error):
        return KodikTokenRefused(
            "Kodik does not take the token in KINODOM_KODIK_TOKEN, or does not let it do this. "
            "Check it, or ask Kodik for another one."
        )
    return KodikRefused(f"Kodik refused the question: “{error}”.")
