"""The three families of errors that services tell each other and the browser about.

A leaf sits beside the rule that raises it and gives its own `code`, which is public and never renamed. The text
is for people: what happened, what is kept, what to do next. Only routes turn a family into an HTTP status:

    KinodomError
    ├── NotFound         the thing is not there (404)
    ├── Rejected         the request cannot be done as asked (400; 409 for Conflict, 403 for Forbidden)
    │   ├── Conflict
    │   └── Forbidden
    ├── UpstreamFailed   could not ask, or got no sane answer (502)
    └── NoSpace          the disk is full: it is nobody's mistake and passes (507)

"Nothing there" and "could not ask" are different outcomes and never stand for each other.
"""

from __future__ import annotations

from typing import ClassVar


class KinodomError(Exception):
    """Root of all errors with a public code.

    Args:
        detail: a sentence for a person; shown as it is, so it holds no secret and no signed address.
        facts: small JSON-able values that help a program (shown in the problem document).
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something in the house broke"

    def __init__(self, detail: str, **facts: str | int | float | bool | None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class NotFound(KinodomError):
    """The thing that was asked for does not exist."""

    code = "not_found"
    title = "Not there"


class Rejected(KinodomError):
    """The request was understood and cannot be done as asked."""

    code = "rejected"
    title = "That cannot be done"


class Conflict(Rejected):
    """The thing has changed, or stands in the way of what was asked."""

    code = "conflict"
    title = "Something else is already there"


class Forbidden(Rejected):
    """The one who asks may not do this."""

    code = "forbidden"
    title = "Not allowed"


class UpstreamFailed(KinodomError):
    """Another service or site could not be asked, or its answer made no sense."""

    code = "upstream_failed"
    title = "No answer"


class NoSpace(KinodomError):
    """The disk is full, or would be. Nothing that was finished is lost."""

    code = "no_space"
    title = "The disk is full"
