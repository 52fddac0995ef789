"""One composition, one browser for all tests in containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Tab, first_chromium, tab
from tests.support.containers import Containers
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with first_chromium() as running:
        yield running


@pytest.fixture
def open_tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """Open tabs, each in a context of its own; closed after the test, with a trace if it failed."""
    with ExitStack() as stack:

        def open_one(name: str = "page", **options: Any) -> Tab:
            return stack.enter_context(tab(browser, request, name, **options))

        yield open_one
