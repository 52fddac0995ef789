"""The generated folder `house/` beside nginx.conf: the only part that differs between the two ways to run."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_house.refusals import BadSettingError
from kinodom_house.secret_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")

# The same rule as `kinodom_common.hosts`, which the services apply once more: `home` stands for all of these.
HOME = "home"
_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
_HOME_NAMES = (
    r"~^(?!(?:[0-9]+|0x[0-9a-f]*)$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$",  # one label that is no number
    r"~^.+\.local$",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NginxFacts:
    """What the shared configuration cannot know."""

    media_key: str
    gateway_url: str
    sync_url: str
    downloader_url: str
    inner_key: str  # shown to the downloader's door
    library_root: str
    work_root: str
    covers_root: str
    static_root: str
    slices: str  # address and port, of this machine alone, at which Nginx asks itself for slices of a film
    listen: tuple[str, ...]  # arguments of `listen`: "8080", "[::]:8080 ipv6only=on"
    hosts: tuple[str, ...]  # of the operator, beside names and addresses that only a home network gives
    user: str | None = None  # "name group" for the workers when the master is root; None: as the master
    workers: str = "auto"
    resolver: str | None = None  # address of a DNS server when the two URLs hold names


def host_patterns(text: str) -> tuple[str, ...]:
    """Return what a comma-separated list of hosts names, in lower case; refuse what is none.

    Each is a name, `*.` and a name (all below it), an address, or a network such as `100.64.0.0/10`.
    """
    patterns = tuple(part.strip().lower().rstrip(".") for part in text.split(",") if part.strip())
    for pattern in patterns:
        if _network(pattern) is None and not _NAME.fullmatch(pattern):
            raise BadSettingError(
                f"KINODOM_ALLOWED_HOSTS holds {pattern!r}, which is neither a name nor an address: write names without "
                "http:// and ports, with commas between them."
            )
    return patterns


def write_nginx_files(folder: Path, facts: NginxFacts, *, group: int | None = None) -> None:
    """Write the generated folder; files that are right already are left alone."""
    if not folder.is_dir():
        folder.mkdir(mode=0o750, parents=True)
        if group is not None:
            os.chown(folder, -1, group)
    user = f"user {facts.user};\n" if facts.user else ""
    write_whole(folder / "main.conf", f"{user}worker_processes {facts.workers};\n", group=group)
    write_whole(folder / "listen.conf", "".join(f"listen {listen};\n" for listen in facts.listen), group=group)
    write_whole(folder / "slices.conf", f"listen {facts.slices};\n", group=group)
    write_whole(folder / "http.conf", _http(facts), group=group)


def _http(facts: NginxFacts) -> str:
    constants = {
        "media_key": facts.media_key,
        "gateway": facts.gateway_url,
        "sync": facts.sync_url,
        "downloader": facts.downloader_url,
        "inner_key": facts.inner_key,
        "library_root": facts.library_root,
        "work_root": facts.work_root,
        "slices": f"http://{facts.slices}",
        "covers_root": facts.covers_root,
        "static_root": facts.static_root,
    }
    lines = [f'map "" ${name} {{ default {_quoted(value)}; }}' for name, value in constants.items()]
    if facts.resolver:
        lines.append(f"resolver {facts.resolver} valid=2s ipv6=off;")
    return "\n".join((*lines, *_host_rule(facts.hosts), ""))


def _host_rule(hosts: Iterable[str]) -> list[str]:
    """Return the lines that set `$host_ok`; $host comes in lower case, without a port and a closing dot."""
    networks = [str(network) for host in hosts if (network := _network(host)) is not None]
    names = [host for host in hosts if _network(host) is None]
    exact = sorted({name for name in names if not name.startswith("*.")} - {HOME})
    below = sorted({name[2:] for name in names if name.startswith("*.")})
    return [
        'map $host $host_address { default $host; "~^\\[(?<host_inner>[0-9a-f:.]+)\\]$" $host_inner; }',
        "geo $host_address $host_near {",
        "    default 0;",
        *(f"    {network} 1;" for network in sorted({*_PRIVATE, *networks})),
        "}",
        "map $host $host_named {",
        "    default 0;",
        *(f'    "{pattern}" 1;' for pattern in _HOME_NAMES),
        *(f'    "{name}" 1;' for name in exact),
        *(f'    "~^.+\\.{re.escape(name)}$" 1;' for name in below),
        "}",
        'map "$host_near$host_named" $host_ok { default 1; "00" 0; }',
    ]


def _network(pattern: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(pattern.strip("[]"))
    except ValueError:
        return None


def _quoted(value: str) -> str:
    """Return the text as one argument of Nginx; a `$` would start a variable and cannot be escaped."""
    if "$" in value or "\n" in value:
        raise BadSettingError(f"The folder {value!r} cannot be served: its name holds a dollar sign or a line break.")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
