"""The guarded client with the TLS, HTTP/2 and headers of a current Chrome. Its guard is ours: curl decides nothing.

Redirects, headers that travel along, deadline and errors are OutsideClient's; here one question is asked of one host.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import certifi

from kinodom_common.egress import (
    AddressRefused,
    OutsideBadAnswer,
    OutsideClient,
    OutsideReply,
    OutsideTimeout,
    OutsideTooLarge,
    OutsideUnreachable,
    headers_for,
    shown,
)
from kinodom_common.egress.client import Ask, check_status, next_ask
from kinodom_resolver.domain.operating import BrowserTlsMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinodom_common.egress import Deadline, EgressRules, Target

PACKAGE: Final = "curl_cffi"
STOP: Final = 0xFFFFFFFF  # CURL_WRITEFUNC_ERROR: what a callback returns to end the transfer
NOWHERE: Final = "https://127.0.0.1:1/"  # a name that is not pinned is asked here, which is of nobody
OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "proxy-authorization", "transfer-encoding"}
)
TIMED_OUT, BAD_CERTIFICATE, TOO_LARGE = 28, 60, 63  # CURLcode, as curl.h numbers them
CUT_OR_BADLY_PACKED: Final = frozenset({18, 23, 61})


def installed() -> bool:
    """Return whether the package that speaks like a browser is there."""
    return find_spec(PACKAGE) is not None


def browser_like(client: OutsideClient) -> BrowserClient:
    """Return a client with the same rules, limits and proxy that looks like a browser."""
    return BrowserClient(rules=client.rules, user_agent=client.user_agent, limits=client.limits, proxy=client.proxy)


@dataclass(slots=True)
class _Answer:
    """What came so far; its methods are curl's callbacks and return STOP when no more is wanted."""

    max_bytes: int
    bad_body_bytes: int
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    head_done: bool = False
    too_large: bool = False

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def take_head(self, line: bytes) -> int:
        text = line.decode("latin-1").rstrip("\r\n")
        if text.startswith("HTTP/") and (self.status < 200 or not self.head_done):
            self.status, self.headers, self.head_done = _status_in(text), {}, False
        elif text:
            name, _, value = text.partition(":")
            if not self.head_done:  # what comes later is a trailer
                self.headers.setdefault(name.strip().lower(), value.strip())
        elif self.status >= 200:
            self.head_done = True
            if not self.good and self.bad_body_bytes <= 0:
                return STOP
        return len(line)

    def take_body(self, piece: bytes) -> int:
        self.body += piece
        if len(self.body) <= (self.max_bytes if self.good else self.bad_body_bytes):
            return len(piece)
        self.too_large = True
        self.body.clear()
        return STOP


@dataclass(frozen=True, slots=True)
class BrowserClient(OutsideClient):
    """Asks as Chrome does. The user agent is Chrome's, too; headers that the caller gives replace Chrome's own."""

    def _ask_once(
        self, ask: Ask, target: Target, meant_for: Target, deadline: Deadline, max_bytes: int
    ) -> OutsideReply | Ask:
        sent = _header_lines(headers_for(ask.headers, meant_for=meant_for, target=target), ask.url)
        answer = _Answer(max_bytes=max_bytes, bad_body_bytes=ask.bad_body_bytes)
        with contextlib.ExitStack() as stack:
            curl = stack.enter_context(closing(_chrome()))
            self._lead(curl, target)
            _trust(curl, stack.enter_context(_authorities(self.rules)))
            self._bound(curl, deadline, max_bytes)
            _fill(curl, ask, target, sent)
            failure = _perform(curl, answer)
        if failure is not None and not (answer.head_done and not answer.good):
            raise _error(failure, answer, ask.url, max_bytes)
        if onward := next_ask(ask, answer.status, answer.headers.get("location")):
            return onward
        whole = b"" if failure is not None else bytes(answer.body)
        check_status(ask, answer.status, answer.headers.get("retry-after"), lambda: whole)
        return OutsideReply(url=ask.url, status=answer.status, headers=answer.headers, body=whole)

    def _lead(self, curl: Any, target: Target) -> None:
        """Pin the one place that is called to checked addresses; curl looks nothing up itself."""
        from curl_cffi import CurlOpt

        _check_spelling(target.host)
        proxy = self.proxy
        if proxy is None:
            host, port = target.host.rstrip("."), target.port
            answers = self.rules.addresses(target.host, target.port)
        else:
            host, port = proxy.host, proxy.port
            answers = self.rules.addresses_by((host, port), target.host, target.port)
        pinned = ",".join(dict.fromkeys(_bracketed(str(answer[4][0])) for answer in answers))
        if not _is_ip(host):
            curl.setopt(CurlOpt.RESOLVE, [f"{host}:{port}:{pinned}"])
        curl.setopt(CurlOpt.DOH_URL, NOWHERE)
        curl.setopt(CurlOpt.PROXY, f"http://{_bracketed(host)}:{port}" if proxy else "")  # "": nor the environment's
        curl.setopt(CurlOpt.NOPROXY, "" if proxy else "*")
        if proxy is not None:
            curl.setopt(CurlOpt.HTTPPROXYTUNNEL, 1)
            curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
            curl.setopt(CurlOpt.HEADEROPT, 1)  # the host's headers are not the proxy's
            if proxy.user is not None:
                curl.setopt(CurlOpt.PROXYUSERNAME, proxy.user.partition(":")[0])
                curl.setopt(CurlOpt.PROXYPASSWORD, proxy.user.partition(":")[2])

    def _bound(self, curl: Any, deadline: Deadline, max_bytes: int) -> None:
        from curl_cffi import CurlOpt

        left_s = deadline.wait_s()
        curl.setopt(CurlOpt.NOSIGNAL, 1)
        curl.setopt(CurlOpt.TIMEOUT_MS, max(round(left_s * 1000), 1))
        curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, max(round(min(self.limits.connect_s, left_s) * 1000), 1))
        curl.setopt(CurlOpt.LOW_SPEED_LIMIT, 1)  # nothing at all for so long; curl counts whole seconds
        curl.setopt(CurlOpt.LOW_SPEED_TIME, max(round(self.limits.first_byte_s), 1))
        curl.setopt(CurlOpt.MAXFILESIZE_LARGE, max_bytes)  # on the wire; unpacked, the callback counts


def _chrome() -> Any:
    try:
        from curl_cffi import Curl
        from curl_cffi.requests.impersonate import DEFAULT_CHROME
    except ImportError as exc:
        raise BrowserTlsMissing(
            "The package curl_cffi is not installed for the resolver; see docs/sources.md."
        ) from exc
    curl = Curl()
    if curl.impersonate(DEFAULT_CHROME) != 0:
        curl.close()
        raise BrowserTlsMissing("The installed curl_cffi cannot speak as Chrome does; install a newer one.")
    return curl


def _fill(curl: Any, ask: Ask, target: Target, headers: list[bytes]) -> None:
    from curl_cffi import CurlOpt

    host = _bracketed(target.host.rstrip("."))
    curl.setopt(CurlOpt.URL, f"{target.scheme}://{host}:{target.port}{target.path}")
    curl.setopt(CurlOpt.PROTOCOLS_STR, target.scheme)
    curl.setopt(CurlOpt.FOLLOWLOCATION, 0)
    curl.setopt(CurlOpt.PATH_AS_IS, 1)
    curl.setopt(CurlOpt.DISALLOW_USERNAME_IN_URL, 1)
    curl.setopt(CurlOpt.FORBID_REUSE, 1)
    curl.setopt(CurlOpt.ACCEPT_ENCODING, "gzip, deflate, br, zstd")  # Chrome's words; with them curl unpacks
    curl.setopt(CurlOpt.HTTPHEADER, [*headers, b"Expect:"])
    if ask.method == "POST":
        body = ask.body or b""
        curl.setopt(CurlOpt.POST, 1)
        curl.setopt(CurlOpt.POSTFIELDS, body)
        curl.setopt(CurlOpt.POSTFIELDSIZE, len(body))


def _trust(curl: Any, authorities: Path) -> None:
    from curl_cffi import CurlOpt

    curl.setopt(CurlOpt.SSL_VERIFYPEER, 1)
    curl.setopt(CurlOpt.SSL_VERIFYHOST, 2)
    curl.setopt(CurlOpt.CAINFO, str(authorities))
    system = ssl.get_default_verify_paths().capath
    if str(authorities) == certifi.where() and system is not None:
        curl.setopt(CurlOpt.CAPATH, system)  # so that a household's own authority works


@contextlib.contextmanager
def _authorities(rules: EgressRules) -> Iterator[Path]:
    """Give the file of authorities that the rules trust; curl reads files only."""
    if rules.tls is None:
        yield Path(certifi.where())
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.writelines(ssl.DER_cert_to_PEM_cert(one) for one in rules.tls.get_ca_certs(binary_form=True))
        file.flush()
        yield Path(file.name)


def _perform(curl: Any, answer: _Answer) -> int | None:
    """Ask, and return curl's number for what went wrong; None: nothing."""
    from curl_cffi import CurlError, CurlOpt

    curl.setopt(CurlOpt.HEADERFUNCTION, answer.take_head)
    curl.setopt(CurlOpt.WRITEFUNCTION, answer.take_body)
    try:
        curl.perform()
    except CurlError as exc:
        return int(exc.code)
    return None


def _error(code: int, answer: _Answer, url: str, max_bytes: int) -> Exception:
    if answer.too_large or code == TOO_LARGE:
        return OutsideTooLarge(f"{shown(url)}: the answer is larger than {max_bytes} bytes.")
    if code == TIMED_OUT:
        return OutsideTimeout(f"{shown(url)}: took too long.")
    if code == BAD_CERTIFICATE:
        return OutsideUnreachable(f"{shown(url)}: its certificate is not valid, so nothing is taken from it.")
    if answer.head_done and code in CUT_OR_BADLY_PACKED:
        return OutsideBadAnswer(f"{shown(url)}: the answer was cut off or is badly packed.")
    return OutsideUnreachable(f"{shown(url)}: no connection, or it broke.")


def _header_lines(headers: dict[str, str], url: str) -> list[bytes]:
    lines = []
    for name, value in headers.items():
        if any(char in name + value for char in "\r\n\0") or not name or ":" in name or ";" in name:
            raise OutsideBadAnswer(f"{shown(url)}: a header for it cannot be sent.")
        if name.lower() not in OURS:
            text = f"{name}: {value}" if value.strip() else f"{name};"  # so curl sends a header without a value
            lines.append(text.encode("latin-1", "replace"))
    return lines


def _check_spelling(host: str) -> None:
    """Refuse numbers that curl might read as another address than the guard does (`0x7f.1`, `010.0.0.1`)."""
    last = host.rstrip(".").rpartition(".")[2]
    if (last.isdigit() or last.startswith("0x")) and not _is_ip(host):
        raise AddressRefused(f"{host} is an address written in a way nobody writes one, so it is not called.")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _status_in(line: str) -> int:
    code = line.split(" ", 2)[1:2]
    return int(code[0]) if code and code[0].isascii() and code[0].isdigit() else 0
