"""One browser for the whole session: Playwright starts only once in a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Tab, first_chromium, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":  # type: ignore[attr-defined]
        item.failed = report.failed  # type: ignore[attr-defined]
    return report


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
