"""The generated folder `house/` beside nginx.conf: the only part that differs between the two ways to run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_house.refusals import BadSettingError
from kinodom_house.secret_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")

# An address in digits cannot be pointed elsewhere by somebody's DNS, so any of them is let in.
_DIGITS = (r"~^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$", r"~^\[[0-9a-f:.]+\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class NginxFacts:
    """What the shared configuration cannot know."""

    media_key: str
    gateway_url: str
    sync_url: str
    library_root: str
    covers_root: str
    static_root: str
    listen: tuple[str, ...]  # arguments of `listen`: "8080", "[::]:8080 ipv6only=on"
    hosts: tuple[str, ...]  # names, beside localhost and addresses in digits, that lead to this house
    user: str | None = None  # "name group" for the workers when the master is root; None: as the master
    workers: str = "auto"
    resolver: str | None = None  # address of a DNS server when the two URLs hold names


def host_names(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list, lower case, without ports; refuse what is no name."""
    names = tuple(part.strip().lower().rstrip(".") for part in text.split(",") if part.strip())
    for name in names:
        if not _HOST.fullmatch(name):
            raise BadSettingError(
                f"KINODOM_ALLOWED_HOSTS holds {name!r}, which is not a name: write names without http:// and ports, "
                "with commas between them."
            )
    return names


def write_nginx_files(folder: Path, facts: NginxFacts, *, group: int | None = None) -> None:
    """Write the generated folder; files that are right already are left alone."""
    if not folder.is_dir():
        folder.mkdir(mode=0o750, parents=True)
        if group is not None:
            os.chown(folder, -1, group)
    user = f"user {facts.user};\n" if facts.user else ""
    write_whole(folder / "main.conf", f"{user}worker_processes {facts.workers};\n", group=group)
    write_whole(folder / "listen.conf", "".join(f"listen {listen};\n" for listen in facts.listen), group=group)
    write_whole(folder / "http.conf", _http(facts), group=group)


def _http(facts: NginxFacts) -> str:
    constants = {
        "media_key": facts.media_key,
        "gateway": facts.gateway_url,
        "sync": facts.sync_url,
        "library_root": facts.library_root,
        "covers_root": facts.covers_root,
        "static_root": facts.static_root,
    }
    lines = [f'map "" ${name} {{ default {_quoted(value)}; }}' for name, value in constants.items()]
    if facts.resolver:
        lines.append(f"resolver {facts.resolver} valid=2s ipv6=off;")
    lines += ["map $host $host_ok {", "    default 0;"]
    lines += [f'    "{pattern}" 1;' for pattern in (*_DIGITS, *_names(facts.hosts))]
    return "\n".join((*lines, "}", ""))


def _names(hosts: Iterable[str]) -> list[str]:
    return sorted({"localhost", *hosts})


def _quoted(value: str) -> str:
    """Return the text as one argument of Nginx; a `$` would start a variable and cannot be escaped."""
    if "$" in value or "\n" in value:
        raise BadSettingError(f"The folder {value!r} cannot be served: its name holds a dollar sign or a line break.")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
