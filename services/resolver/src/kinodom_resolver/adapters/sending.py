"""A source's way out: paced, retried within the deadline, with a breaker for each host and the source's cookies."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from kinodom_common.egress import OutsideBadStatus, OutsideTimeout, OutsideUnreachable, Proxy
from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters import bot_check
from kinodom_resolver.adapters.browser_tls import browser_like
from kinodom_resolver.adapters.redis_line import PREFIX
from kinodom_resolver.domain.health import PROBE_EACH_S, after_failure, after_success
from kinodom_resolver.domain.wall import left_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_common.egress import EgressRules, OutsideClient, OutsideReply
    from kinodom_resolver.adapters.redis_line import RedisLine
    from kinodom_resolver.domain.health import HealthBook

log = get_log(__name__)

TRIES: Final = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
SHORTEST_REST_S: Final = 1.0  # of a Retry-After; the longest is the egress guard's
RETRY_SHARE: Final = 0.2  # retries cost at most this share of the first attempts
MOST_RETRIES_SAVED: Final = 10.0
PASSING: Final = frozenset({429, 500, 502, 503, 504})
WITHOUT_END_S: Final = 20.0
Result = TypeVar("Result")


class HostResting(UpstreamFailed):
    """A host failed again and again, or asked to be left alone. Fact: `retry_after_s`."""

    code = "host_resting"
    title = "A site is left alone for a while"


class Manners(Protocol):
    """What the operator has set for a source, as it is now."""

    @property
    def pacing_s(self) -> float:
        """The least time between two requests to one host."""

    @property
    def proxy(self) -> str | None:
        """Address of the proxy its requests take."""

    @property
    def browser_tls(self) -> bool:
        """Whether its requests look like a browser's."""

    def cookie_for(self, url: str) -> str | None:
        """Return the Cookie header for an address."""


class Hosts:
    """What is known of hosts, for all sources of this process; a wish to be left alone is told to other replicas.

    Args:
        book: records of health; a host's stand there as `host:<name>`.
        line: to Redis.
        now: seconds since 1970.
        pause: waits for so many seconds.
        chance: a number from 0 to 1, another one each time.
    """

    def __init__(
        self,
        book: HealthBook,
        line: RedisLine,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.book, self.now, self.pause, self.chance = book, now, pause, chance
        self._line = line
        self._retries: dict[str, float] = {}
        self._next_s: dict[tuple[str, str], float] = {}
        self._rests_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def resting_s(self, host: str) -> float:
        """Return how long a host asked to be left alone from now on."""
        key = f"{PREFIX}rest:{host}"
        shared_ms = self._line.do(lambda client: int(str(client.pttl(key))), 0)
        return max(shared_ms / 1000, self._rests_s.get(host, 0.0) - self.now(), 0.0)

    def let_rest(self, host: str, rest_s: float) -> None:
        """Leave a host alone for so long, here and in the other replicas."""
        with self._lock:
            self._rests_s[host] = self.now() + rest_s
        self._line.do(lambda client: bool(client.set(f"{PREFIX}rest:{host}", 1, px=round(rest_s * 1000))), True)

    def earn(self, host: str) -> None:
        """Count a first attempt; it pays for a fifth of a retry."""
        with self._lock:
            self._retries[host] = min(self._retries.get(host, 1.0) + RETRY_SHARE, MOST_RETRIES_SAVED)

    def spend(self, host: str) -> bool:
        """Say whether a retry is paid for, and take its price."""
        with self._lock:
            paid = self._retries.get(host, 0.0) >= 1.0
            self._retries[host] = self._retries.get(host, 0.0) - (1.0 if paid else 0.0)
        return paid

    def turn_in_s(self, source: str, host: str, pacing_s: float) -> float:
        """Take a place in the queue to a host and return how long it is until its turn."""
        with self._lock:
            turn_s = max(self._next_s.get((source, host), 0.0), self.now())
            self._next_s[(source, host)] = turn_s + pacing_s
        return turn_s - self.now()


class SourceOutside:
    """The guarded client as one source uses it.

    Args:
        name: of the source.
        client: goes out for it; takes the address of a proxy, and whether to look like a browser.
        hosts: what is known of them.
        manners: what the operator has set for the source.
    """

    def __init__(
        self, name: str, client: Callable[[str | None, bool], OutsideClient], *, hosts: Hosts, manners: Manners
    ) -> None:
        self._name = name
        self._client = client
        self._hosts = hosts
        self._manners = manners

    @property
    def rules(self) -> EgressRules:
        """Return the guard's rules, for a source whose requests are made elsewhere and must keep them too."""
        return self._client(None, False).rules

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
    ) -> OutsideReply:
        """Return the page at an address; raises BotCheck for one that wants to see a person."""
        sent = self._with_cookie(url, headers)

        def ask(client: OutsideClient, left: float) -> OutsideReply:
            return client.get(
                url,
                headers=sent,
                max_bytes=max_bytes,
                deadline_s=min(left, deadline_s or left),
                bad_body_bytes=bot_check.PAGE_BYTES,
            )

        reply = self._send(url, ask)
        bot_check.refuse_challenge_of(_host_of(reply.url), reply)
        return reply

    def get_json(self, url: str) -> object:
        """Return the JSON value at an address."""
        found: object = self.get(url, headers={"Accept": "application/json"}).json()
        return found

    def post_json(self, url: str, body: object, *, follows: bool = True) -> object:
        """Return the JSON value that a POST of JSON gives; it is sent once."""
        sent = self._with_cookie(url, None)

        def ask(client: OutsideClient, left: float) -> object:
            found: object = client.post_json(url, body, headers=sent, deadline_s=left, follows=follows)
            return found

        return self._send(url, ask, tries=1)

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        bad_body_bytes: int = 0,
    ) -> OutsideReply:
        """Return the answer to a form; it is sent once."""
        sent = self._with_cookie(url, headers)

        def ask(client: OutsideClient, left: float) -> OutsideReply:
            return client.post_form(
                url, fields, headers=sent, max_bytes=max_bytes, deadline_s=left, bad_body_bytes=bad_body_bytes
            )

        reply = self._send(url, ask, tries=1)
        bot_check.refuse_challenge_of(_host_of(reply.url), reply)
        return reply

    def _with_cookie(self, url: str, headers: Mapping[str, str] | None) -> Mapping[str, str]:
        cookie = self._manners.cookie_for(url)
        return {**(headers or {}), "Cookie": cookie} if cookie else headers or {}

    def _send(self, url: str, ask: Callable[[OutsideClient, float], Result], tries: int = TRIES) -> Result:
        host = _host_of(url)
        began_s, whole_s = self._hosts.now(), left_s()
        end_s = began_s + (WITHOUT_END_S if whole_s is None else whole_s)
        self._hosts.earn(host)
        for attempt in range(1, tries + 1):
            self._wait_for_turn(host, end_s)
            try:
                client = self._client(self._manners.proxy, self._manners.browser_tls)
                result = ask(client, max(end_s - self._hosts.now(), 0.05))
            except (OutsideUnreachable, OutsideTimeout, OutsideBadStatus) as exc:
                pause_s = self._after_failure(host, exc, attempt)
                if isinstance(exc, OutsideBadStatus):
                    bot_check.refuse_challenge_in(host, exc)
                late = self._hosts.now() + pause_s >= end_s
                if pause_s < 0 or late or attempt == tries or not self._hosts.spend(host):
                    raise
                self._hosts.pause(pause_s)
            else:
                self._note_success(host, began_s)
                return result
        raise AssertionError("unreachable")

    def _note_success(self, host: str, began_s: float) -> None:
        now_s = self._hosts.now()
        took_ms = (now_s - began_s) * 1000
        self._hosts.book.update(f"host:{host}", lambda one: after_success(one, took_ms=took_ms, now_s=now_s))

    def _wait_for_turn(self, host: str, end_s: float) -> None:
        rest_s = self._hosts.resting_s(host)
        record = self._hosts.book.get(f"host:{host}")
        if rest_s <= 0 and record.state == "open" and not self._hosts.book.claim_probe(f"host:{host}"):
            rest_s = PROBE_EACH_S
        if rest_s > 0:
            raise HostResting(
                f"{host} failed several times or asked for a rest; it is asked again in {rest_s:.0f} s.",
                retry_after_s=round(rest_s, 1),
            )
        wait_s = self._hosts.turn_in_s(self._name, host, self._manners.pacing_s)
        if self._hosts.now() + wait_s >= end_s:
            raise HostResting(f"Too many questions to {host} are waiting. Try again in a minute.")
        if wait_s > 0:
            self._hosts.pause(wait_s)

    def _after_failure(self, host: str, exc: UpstreamFailed, attempt: int) -> float:
        """Note a failure and return the pause before the next attempt; below 0: there is no sense in one."""
        status, wanted_s = exc.facts.get("status"), exc.facts.get("retry_after_s")
        if isinstance(exc, OutsideBadStatus) and status not in PASSING:
            return -1.0
        self._hosts.book.update(f"host:{host}", lambda one: after_failure(one, code=exc.code, now_s=self._hosts.now()))
        if isinstance(wanted_s, int | float) and status in (429, 503):
            rest_s = max(float(wanted_s), SHORTEST_REST_S)
            left = left_s()
            if left is None or rest_s >= left:
                self._hosts.let_rest(host, rest_s)
            return rest_s
        return self._hosts.chance() * min(FIRST_PAUSE_S * 2.0 ** (attempt - 1), LONGEST_PAUSE_S)


def through(client: OutsideClient, proxy: str | None, browser_tls: bool = False) -> OutsideClient:
    """Return the client as it goes out: straight or by a proxy, as itself or like a browser."""
    if browser_tls:
        client = browser_like(client)
    return client if proxy is None else replace(client, proxy=Proxy.of(proxy))


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
