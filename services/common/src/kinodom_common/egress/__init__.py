"""The one way out: every address a person or a third-party page named goes through this guard.

Connections are made to checked public addresses only. `OutsideClient` is for pages and APIs; the segment engine
uses `guarded_connection` for its keep-alive connections.
"""

from __future__ import annotations

from kinodom_common.egress.client import OutsideClient, OutsideLimits, OutsideReply
from kinodom_common.egress.errors import (
    AddressRefused,
    OutsideBadAnswer,
    OutsideBadStatus,
    OutsideNotFound,
    OutsideTimeout,
    OutsideTooLarge,
    OutsideUnreachable,
    SchemeRefused,
    TooManyRedirects,
    retry_after_s,
)
from kinodom_common.egress.rules import EgressRules, Target, headers_for, parse_allow_lan, shown, target_of
from kinodom_common.egress.wire import Deadline, GuardedConnection, Patience, Proxy, guarded_connection

__all__ = [
    "AddressRefused",
    "Deadline",
    "EgressRules",
    "GuardedConnection",
    "OutsideBadAnswer",
    "OutsideBadStatus",
    "OutsideClient",
    "OutsideLimits",
    "OutsideNotFound",
    "OutsideReply",
    "OutsideTimeout",
    "OutsideTooLarge",
    "OutsideUnreachable",
    "Patience",
    "Proxy",
    "SchemeRefused",
    "Target",
    "TooManyRedirects",
    "guarded_connection",
    "headers_for",
    "parse_allow_lan",
    "retry_after_s",
    "shown",
    "target_of",
]
