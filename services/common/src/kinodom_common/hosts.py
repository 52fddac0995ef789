"""Under which names the house answers.

A page on the internet can point its own name at an address of this network (DNS rebinding); the browser then takes
our answers for that page's own. What such a page cannot choose is the `Host` header. So the house answers to names and
addresses that only a home network gives, and to those the operator lists.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HOME = ("private", "single", "localhost", "*.local")  # what `home` stands for, and the default
# Not `Address.is_private`: it also counts 0.0.0.0/8, documentation and benchmark networks. Shared address space
# (100.64.0.0/10) is a provider's, or a VPN's: list it where it is yours.
PRIVATE_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)  # a last label like this makes browsers read an IPv4 address
DEFAULT_PORTS = {"http": 80, "https": 443}
NAME_LIMIT = 253


class HostRule:
    """Which hosts are ours.

    Args:
        patterns: any of
            `home` (all of the next four), `private` (addresses of home networks and of this machine),
            `single` (names of one label), `localhost`, `*.local`,
            a name, `*.` and a name (all below it), an address, a network such as `100.64.0.0/10`.

    Raises:
        ValueError: a pattern is none of these.
    """

    def __init__(self, patterns: Iterable[str] = HOME) -> None:
        self._words: set[str] = set()
        self._names: set[str] = set()
        self._suffixes: set[str] = set()
        self._networks: set[Network] = set()
        for pattern in patterns:
            for part in HOME if pattern.strip().lower() == "home" else (pattern.strip().lower(),):
                self._learn(part)

    def _learn(self, pattern: str) -> None:
        if pattern in ("private", "single"):
            self._words.add(pattern)
            return
        try:
            self._networks.add(ipaddress.ip_network(pattern.strip("[]")))
            return
        except ValueError:
            pass
        name = pattern.removeprefix("*.")
        if not _is_name(name):
            raise ValueError(f"{pattern!r} is neither a host name, an address, a network nor one of {', '.join(HOME)}")
        (self._names if name == pattern else self._suffixes).add(name)

    def allows(self, host: str) -> bool:
        """Say whether a `Host` header (a name or address, with or without a port) is one of ours."""
        parsed = split_host(host)
        if parsed is None:
            return False
        name = parsed[0]
        address = _address(name)
        if address is not None:
            return self._allows_address(address)
        absolute = name.endswith(".")
        name = name.removesuffix(".")
        if not _is_name(name):
            return False
        if name in self._names or any(name.endswith(f".{suffix}") for suffix in self._suffixes):
            return True
        # With a dot at its end a single label is a top-level domain, which somebody else may hold.
        return "single" in self._words and "." not in name and not absolute

    def _allows_address(self, address: Address) -> bool:
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = inner or address
        networks = (*PRIVATE_NETWORKS, *self._networks) if "private" in self._words else tuple(self._networks)
        return any(address in network for network in networks)

    def same_origin(self, origin: str | None, host: str) -> bool:
        """Say whether a page with this `Origin` may call this `Host`: only a page of the house itself may.

        No origin passes: browsers send one with every socket and every writing request, so it was no browser.
        """
        if origin is None:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        default_port = DEFAULT_PORTS.get(parts.scheme)
        if default_port is None or origin != f"{parts.scheme}://{parts.netloc}":
            return False
        theirs, ours = split_host(parts.netloc), split_host(host)
        if theirs is None or ours is None or not self.allows(host):
            return False
        return theirs[0] == ours[0] and (theirs[1] or default_port) == (ours[1] or default_port)


def house_rule(also: str) -> HostRule:
    """Return the rule of this house: what `home` stands for, and the patterns of a comma-separated list.

    Raises:
        ValueError: one of them is no pattern.
    """
    return HostRule(["home", *(part for part in also.split(",") if part.strip())])


class HostGuard:
    """WSGI middleware that answers only under our own names.

    It must be the outermost: `TRUSTED_HOSTS` of Flask guards routes and not the socket, which never reaches them.
    """

    def __init__(self, app: WSGIApplication, rule: HostRule) -> None:
        self._app = app
        self._rule = rule

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, or refuse it with 421 and the code `host_refused`."""
        if self._rule.allows(environ.get("HTTP_HOST", "")):
            return self._app(environ, start_response)
        problem = {
            "type": "about:blank",
            "title": "The house does not answer to this name",
            "status": 421,
            "code": "host_refused",
            "detail": "Open the house under its own address. Its operator can add names in KINODOM_ALLOWED_HOSTS.",
        }
        body = json.dumps(problem).encode()
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
        start_response("421 Misdirected Request", headers)
        return [body]


def split_host(host: str) -> tuple[str, int | None] | None:
    """Return name and port of a `Host` header, in small letters; None: it is not one. No port given is None."""
    usable = host.isascii() and len(host) <= NAME_LIMIT + len(".:65535")  # lower() makes an ASCII k of a Kelvin sign
    match = HOST.fullmatch(host.lower()) if usable else None
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    return (match["name"], port) if port is None or 0 < port <= 65535 else None


def _address(name: str) -> Address | None:
    try:
        return ipaddress.IPv6Address(name[1:-1]) if name.startswith("[") else ipaddress.IPv4Address(name)
    except ValueError:
        return None


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return (
        len(name) <= NAME_LIMIT
        and all(LABEL.fullmatch(label) for label in labels)
        and NUMBER.fullmatch(labels[-1]) is None
    )
