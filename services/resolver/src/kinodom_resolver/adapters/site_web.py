"""The way to one site: only its listed hosts, its headers and cookies, its pace, its proxy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kinodom_common.egress import EgressRules, OutsideClient, Proxy, target_of
from kinodom_common.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.egress.rules import SocketAddress
    from kinodom_resolver.adapters.site_schema import Site
    from kinodom_resolver.domain.ports import Outside, Page

PAGE_BYTES: Final = 2_000_000
Way = Callable[[str, OutsideClient], "Outside"]


class HostNotListed(Rejected):
    """A page of a site leads to a host that its description does not list."""

    code = "host_not_listed"
    title = "That host is not listed for this site"


@dataclass(frozen=True, slots=True)
class SiteRules(EgressRules):
    """The guard, narrowed to the hosts of one site. Redirects pass here too."""

    places: frozenset[tuple[str, int]] = frozenset()

    def addresses(self, host: str, port: int) -> tuple[SocketAddress, ...]:
        """Return the addresses of a listed host.

        Raises:
            HostNotListed: it is not listed.
            AddressRefused, OutsideUnreachable: as the house's own rules say.
        """
        name = host.strip("[]").lower()
        if (name, port) not in self.places:
            raise HostNotListed(f"{name}:{port} is not listed for this site. Its operator can add it to `hosts`.")
        return EgressRules.addresses(self, host, port)


class Pace:
    """Keeps requests to one site apart."""

    def __init__(
        self,
        least_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._least_s = least_s
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._next_s = 0.0

    def step(self) -> None:
        """Return when it is our turn."""
        with self._lock:
            now_s = self._clock()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._least_s
        if turn_s > now_s:
            self._wait(turn_s - now_s)


class SiteWeb:
    """Fetches pages of one site.

    Args:
        site: its description.
        outside: the house's way out.
        pace: keeps requests apart; None: as the description says.
        way: what the source of a name does with its way out, such as retries and the operator's cookies.
    """

    def __init__(
        self, site: Site, outside: OutsideClient, *, pace: Pace | None = None, way: Way = lambda _name, client: client
    ) -> None:
        rules = outside.rules
        narrowed = SiteRules(rules.allow_lan, rules.resolve, rules.tls, site.places())
        proxy = Proxy.of(f"http://{site.proxy}") if site.proxy else outside.proxy
        self._outside = way(site.name, replace(outside, rules=narrowed, proxy=proxy))
        self._pace = pace or Pace(site.pace_s)
        cookies = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
        self._headers = {**site.headers, **({"Cookie": cookies} if cookies else {})}

    def get(self, url: str, *, came_from: str | None = None) -> Page:
        """Return the page at an address.

        Raises:
            HostNotListed, AddressRefused, SchemeRefused: no page for us.
            NotFound, UpstreamFailed: nothing there, or could not ask.
        """
        headers: Mapping[str, str] = self._headers
        if came_from is not None and not any(name.lower() == "referer" for name in headers):
            headers = {**headers, "Referer": came_from}
        target_of(url)  # an address nobody may ask does not take a turn
        self._pace.step()
        return self._outside.get(url, headers=headers, max_bytes=PAGE_BYTES)
