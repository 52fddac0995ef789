"""The guarded client for tests: the real one, with loopback sites allowed one by one."""

from __future__ import annotations

from urllib.parse import urlsplit

from kinodom_common.egress import EgressRules, OutsideClient


def outside_for(*urls: str) -> OutsideClient:
    """Return the real guarded client, allowed to call these sites on loopback."""
    pairs = frozenset((str(urlsplit(url).hostname), int(urlsplit(url).port or 80)) for url in urls)
    return OutsideClient(rules=EgressRules(allow_lan=pairs), user_agent="Kinodom test")
