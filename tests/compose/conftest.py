"""One composition for all tests in containers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.containers import Containers
from tests.support.free_ports import free_port


@pytest.fixture(scope="session")
def containers() -> Iterator[Containers]:
    running = Containers(free_port())
    try:
        outcome = running.compose("up", "--detach", "--build", "--wait", check=False)
        states = running.compose("ps", "--all", "--format", "json", check=False)
        if running.get("/healthz")[0] != 200 or '"unhealthy"' in states or '"restarting"' in states:
            pytest.fail(
                states[-6000:] + outcome[-2000:] + running.compose("logs", "--no-color", "--tail", "30", check=False)
            )
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout", "10", check=False)
