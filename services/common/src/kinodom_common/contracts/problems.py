"""The one shape of an error on the wire: RFC 9457 with our stable code."""

from __future__ import annotations

from pydantic import ConfigDict

from kinodom_common.contracts import Reply


class Mistake(Reply):
    """One thing that is wrong with a request."""

    field: str  # path inside the body or name of the parameter
    message: str


class Problem(Reply):
    """`application/problem+json`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    mistakes: tuple[Mistake, ...] = ()
