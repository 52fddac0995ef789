"""Which addresses may be called. The only place that looks a name of the outside up."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

from kinodom_common.egress.errors import AddressRefused, OutsideUnreachable, SchemeRefused

if TYPE_CHECKING:
    import ssl

# (family, kind, protocol, canonical name, socket address), as socket.getaddrinfo gives it
SocketAddress = tuple[int, int, int, str, tuple[Any, ...]]
Resolver = Callable[..., Sequence[SocketAddress]]

_PORTS: Final = {"http": 80, "https": 443}
_LOWEST_FREE_PORT: Final = 1024  # below it live mail, files and shells; only the web's own two may be called there
_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252})", re.ASCII)
_PATH_SAFE: Final = "/:=&?~+!$,;'@()*%[]"

_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")  # RFC 4291: all that is handed out of IPv6 is in here
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them: wraps an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4: wraps an IPv4 address
        "3fff::/20",
    )
)
_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")
)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_CARRIED: Final = frozenset({"accept", "accept-language", "origin", "referer", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address taken apart once; what is checked is what is called."""

    scheme: str
    host: str  # ASCII, lower case, no brackets
    port: int
    path: str  # path and query, ready for the request line

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what must be equal for credentials to travel along."""
        return (self.scheme, self.host, self.port)


def shown(url: str) -> str:
    """Return an address as it may stand in messages and logs: no query, no user, no control characters."""
    bare = url.split("?", 1)[0].split("#", 1)[0]
    scheme, mark, rest = bare.partition("://")
    if mark:
        host, slash, path = rest.partition("/")
        bare = scheme + mark + host.rpartition("@")[2] + slash + path
    return "".join(char if char.isprintable() else "?" for char in bare[:200])


def target_of(url: str) -> Target:
    """Return the parts of an http(s) address.

    Raises:
        SchemeRefused: another scheme, or none.
        AddressRefused: no host, a user name, control characters, an escaped host, a port nobody serves films on.
    """
    address = url.strip(" ")
    scheme = address.partition(":")[0].lower()
    if scheme not in _PORTS:
        raise SchemeRefused(f"{shown(address)}: only http and https addresses can be fetched.")
    if _CONTROLS.search(address):
        raise AddressRefused(f"{shown(address)}: the address holds control characters.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as exc:
        raise AddressRefused(f"{shown(address)}: this is not a well-formed address.") from exc
    if "@" in parts.netloc or "\\" in parts.netloc or not parts.hostname:
        raise AddressRefused(f"{shown(address)}: the address must name a host and nothing before it.")
    query = "?" + quote(parts.query, safe=_PATH_SAFE) if parts.query else ""
    return Target(
        scheme=scheme,
        host=_host(parts.hostname, address),
        port=_PORTS[scheme] if port is None else port,
        path=quote(parts.path or "/", safe=_PATH_SAFE) + query,
    )


def _host(name: str, address: str) -> str:
    if ":" in name:
        if not _is_v6(name):
            raise AddressRefused(f"{shown(address)}: the host is no IPv6 address.")
        return str(ipaddress.IPv6Address(name))
    try:
        plain = _in_ascii(name)
    except UnicodeError as exc:
        raise AddressRefused(f"{shown(address)}: the host name cannot be written in ASCII.") from exc
    if not _NAME.fullmatch(plain):
        raise AddressRefused(f"{shown(address)}: the host name holds characters that no name has.")
    return plain


@lru_cache(maxsize=512)
def _in_ascii(name: str) -> str:
    return unicodedata.normalize("NFKC", name).encode("idna").decode("ascii").lower()


def _is_v6(name: str) -> bool:
    try:
        return ipaddress.IPv6Address(name).scope_id is None
    except ValueError:
        return False


def is_public(text: str) -> bool:
    """Return whether an IP address (as getaddrinfo spells it) belongs to a single machine on the open Internet."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address not in _UNICAST_V6 or any(address in net for net in _REFUSED_V6):
            return False
    elif any(address in net for net in _REFUSED_V4):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class EgressRules:
    """The guard. One look-up per connection; its answers are the addresses that are connected to.

    Args:
        allow_lan: (host, port) pairs an operator allows although they are at home, as `parse_allow_lan` gives them.
        resolve: what looks a name up; called like socket.getaddrinfo.
        tls: whom to trust; None: the system's authorities and the public ones.
    """

    allow_lan: frozenset[tuple[str, int]] = frozenset()
    resolve: Resolver = socket.getaddrinfo
    tls: ssl.SSLContext | None = None

    def with_lan(self, host: str, port: int) -> Self:
        """Return these rules with one more place at home that may be called."""
        return replace(self, allow_lan=self.allow_lan | {(host.strip("[]").lower(), port)})

    def addresses(self, host: str, port: int) -> tuple[SocketAddress, ...]:
        """Return the socket addresses of a host, every one of them allowed.

        Raises:
            AddressRefused: any answer is not public, and the pair is not among the exceptions; or an odd port.
            OutsideUnreachable: the name is not known.
        """
        name = host.strip("[]").lower()
        allowed = (name, port) in self.allow_lan
        if not allowed and port not in _PORTS.values() and not _LOWEST_FREE_PORT <= port <= 65_535:
            raise AddressRefused(f"{name}: port {port} is not one that films or pages are served on.")
        answers = self._look_up(name, port)
        if not allowed and not all(is_public(str(answer[4][0])) for answer in answers):
            raise AddressRefused(
                f"{name} is inside the home network or otherwise not public, so it is not called. "
                f"An operator can allow it by name and port ({name}:{port})."
            )
        return answers

    def addresses_by(self, proxy: tuple[str, int], host: str, port: int) -> tuple[SocketAddress, ...]:
        """Return the socket addresses of the operator's proxy, which may stand at home, for a host that may be called.

        A name that only the proxy can look up passes; an address written in some odd way (`0x7f.1`) does not.

        Raises:
            AddressRefused, OutsideUnreachable: as `addresses`.
        """
        try:
            self.addresses(host, port)
        except OutsideUnreachable as exc:
            if _is_literal(host.strip("[]")):
                raise AddressRefused(f"{host} is an address in a spelling of nobody's, so it is not called.") from exc
        return EgressRules.addresses(self.with_lan(*proxy), *proxy)  # a narrower guard may not know the proxy

    def _look_up(self, name: str, port: int) -> tuple[SocketAddress, ...]:
        try:
            answers = tuple(self.resolve(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            raise OutsideUnreachable(f"{name}: the name is not known here.") from exc
        if not answers:
            raise OutsideUnreachable(f"{name}: the name has no address.")
        return answers


def _is_literal(name: str) -> bool:
    """Tell whether a host is an address; odd spellings of IPv4 (`127.1`, `0x7f.1`) count, as a proxy may read them."""
    return ":" in name or re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", name) is not None


def parse_allow_lan(text: str) -> frozenset[tuple[str, int]]:
    """Return the pairs in a list such as `demo:8000, nas.local:80, [fd00::5]:8080`.

    Raises:
        ValueError: an entry has no port, or is not `host:port`.
    """
    pairs = set()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        host, mark, port = entry.rpartition(":")
        name = host.strip("[]").lower()
        sound = _NAME.fullmatch(name) or _is_v6(name)
        if not mark or not sound or not (port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
            raise ValueError(f"{entry!r} is not host:port")
        pairs.add((name, int(port)))
    return frozenset(pairs)


def headers_for(headers: Mapping[str, str], *, meant_for: Target, target: Target) -> dict[str, str]:
    """Return the headers that may go to a target: all to whom they were meant for, only harmless ones to others."""
    if meant_for.origin == target.origin:
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() in _CARRIED}
