"""One house on one machine, from the checks to the last process stopped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from kinodom_house.layout import Layout
from kinodom_house.plan import INNER, PROGRAMS, SLICES, Site, house_plan
from kinodom_house.preflight import check_port, check_python, find_programs, free_ports, lan_address, only_house
from kinodom_house.prepare import prepare_site
from kinodom_house.probes import HttpProbe, RedisProbe
from kinodom_house.secret_files import write_whole
from kinodom_house.settings import EVERY_ADDRESS
from kinodom_house.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_house.settings import HouseSettings


def run_house(settings: HouseSettings, *, say: Callable[[str], None], opened: Callable[[], None] | None = None) -> None:
    """Run the house until a signal asks for its end.

    Args:
        settings: of the operator.
        say: tells the operator a line.
        opened: called once when the door is open.

    Raises:
        HouseRefusedError: it cannot start or go on; nothing runs any more.
    """
    os.umask(0o027)
    check_python()
    programs = find_programs(PROGRAMS, settings.path)
    layout = Layout(settings.data)
    layout.make()
    with only_house(layout.run):
        check_port(settings.port, settings.bind)
        site = Site(settings=settings, layout=layout, ports=free_ports((*INNER, SLICES)), programs=programs)
        prepare_site(site)
        supervisor = Supervisor(house_plan(site), folder=layout.home, logs=layout.logs, verbose=settings.verbose)

        def announce() -> None:
            _note_ports(site, supervisor)
            say(welcome(settings))
            if opened is not None:
                opened()

        say("Starting Kinodom. Ctrl-C stops it.")
        try:
            supervisor.run(announce)
        finally:
            (layout.run / "ports.json").unlink(missing_ok=True)
        say("Kinodom is closed.")


def welcome(settings: HouseSettings) -> str:
    """Return the line that tells where the house is open."""
    if settings.bind != EVERY_ADDRESS:
        return f"Kinodom is open: http://{settings.bind}:{settings.port}"
    lan = lan_address()
    also = f"  (on the LAN: http://{lan}:{settings.port})" if lan else ""
    return f"Kinodom is open: http://localhost:{settings.port}{also}"


def house_status(settings: HouseSettings) -> dict[str, str]:
    """Return a word about each part of the running house; empty when none runs in this data folder."""
    file = Layout(settings.data).run / "ports.json"
    try:
        ports = json.loads(file.read_text(encoding="utf-8"))["ports"]
    except (OSError, ValueError, KeyError):
        return {}
    words = {}
    for name, port in ports.items():
        probe = RedisProbe(port) if name == "redis" else HttpProbe(port)
        if name == "nginx":
            probe = HttpProbe(port, "/healthz", host=settings.own_address)
        words[name] = "ready" if probe.is_ready() else "not ready"
    return words


def _note_ports(site: Site, supervisor: Supervisor) -> None:
    """Leave the ports and process ids for tools; nothing of the house reads them."""
    ports = {name: site.ports[name] for name in INNER} | {"nginx": site.settings.port}
    noted = {"ports": ports, "pids": supervisor.pids(), "house": os.getpid()}
    write_whole(site.layout.run / "ports.json", json.dumps(noted, indent=2) + "\n")
