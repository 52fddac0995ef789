"""What can go wrong on the way out, each with its own public code."""

from __future__ import annotations

import contextlib
from email.utils import parsedate_to_datetime

from kinodom_common.errors import NotFound, Rejected, UpstreamFailed

_MAX_RETRY_AFTER_S = 900.0  # nobody is believed who asks for more than a quarter of an hour


class AddressRefused(Rejected):
    """The address is none we may call: inside the home, or written in a way nobody writes an address."""

    code = "address_refused"
    title = "That address may not be called"


class SchemeRefused(Rejected):
    """Only http and https go out."""

    code = "scheme_refused"
    title = "Only http and https addresses work"


class TooManyRedirects(Rejected):
    """The address leads on and on."""

    code = "too_many_redirects"
    title = "The address leads in circles"


class OutsideNotFound(NotFound):
    """The other side says that there is no such thing (404 or 410)."""

    code = "outside_not_found"


class OutsideUnreachable(UpstreamFailed):
    """No name, no connection, no certificate, or the line broke."""

    code = "outside_unreachable"


class OutsideTimeout(UpstreamFailed):
    """The other side took too long."""

    code = "outside_timeout"


class OutsideTooLarge(UpstreamFailed):
    """The answer is larger than anything sane, on the wire or unpacked."""

    code = "outside_too_large"


class OutsideBadStatus(UpstreamFailed):
    """The answer has a status we cannot use. Facts: `status`, `retry_after_s` (None: not said)."""

    code = "outside_bad_status"
    body: bytes = b""  # for a caller who asked for it; never shown


class OutsideBadAnswer(UpstreamFailed):
    """The answer is not what it should be: cut off, badly packed, not JSON."""

    code = "outside_bad_answer"


def retry_after_s(value: str | None, *, now_s: float) -> float | None:
    """Return the seconds to wait that a Retry-After header names, at most 900; None for none or rubbish.

    Args:
        value: the header: seconds or an HTTP date (RFC 9110, section 10.2.3).
        now_s: the clock, seconds since 1970.
    """
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MAX_RETRY_AFTER_S)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return min(max(parsedate_to_datetime(text).timestamp() - now_s, 0.0), _MAX_RETRY_AFTER_S)
    return None
