"""Chromium for tests: one for the session, a fresh context for each page, a trace and a picture when a test fails."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, sync_playwright

if TYPE_CHECKING:
    import pytest

CHROMIUM = "/usr/bin/chromium"
RESULTS = Path(__file__).parents[2] / "test-results"
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

# An init script: a refused play() is said in the console. A question by `evaluate` would count as a gesture.
TELL_REFUSALS = """{ const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const done = play.call(this);
    done.catch((error) => console.info(`play: ${error.name}`));
    return done;
  }; }"""


@contextmanager
def chromium(kind: BrowserType, *, autoplay: bool = True) -> Iterator[Browser]:
    """Run a headless Chromium. `autoplay=False` is what a guest meets who has not touched the page yet."""
    policy = "no-user-gesture-required" if autoplay else "document-user-activation-required"
    browser = kind.launch(executable_path=CHROMIUM, args=[f"--autoplay-policy={policy}"])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def first_chromium() -> Iterator[Browser]:
    """Run the Chromium of a session; others are launched by its `browser_type`, for Playwright starts only once."""
    with sync_playwright() as playwright, chromium(playwright.chromium) as browser:
        yield browser


class Tab:
    """A page and what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def until(self, expression: str, limit_s: float = 15.0) -> Any:
        """Return the first truthy value of an expression. The CSP forbids `wait_for_function`: it needs `eval`."""
        until_s = time.monotonic() + limit_s
        while True:
            value = self.page.evaluate(expression)
            if value:
                return value
            assert time.monotonic() < until_s, f"never true within {limit_s} s: {expression}; {self.complaints}"
            self.page.wait_for_timeout(20)


@contextmanager
def tab(
    browser: Browser, request: pytest.FixtureRequest, name: str = "page", *, traced: bool = True, **options: Any
) -> Iterator[Tab]:
    """Open a page in a context of its own; keep its trace and a screenshot if the test fails.

    A trace asks the page for snapshots, and every question counts as a gesture: `traced=False` where that matters.
    """
    context = browser.new_context(**{"viewport": LAPTOP, "locale": "en-GB", **options})
    if traced:
        context.tracing.start(screenshots=False, snapshots=True)
    opened = Tab(context.new_page())
    try:
        yield opened
    except BaseException:
        _keep(context, opened.page, request, name, traced=traced)
        raise
    else:
        if getattr(request.node, "failed", False):
            _keep(context, opened.page, request, name, traced=traced)
    finally:
        context.close()


def _keep(context: BrowserContext, page: Page, request: pytest.FixtureRequest, name: str, *, traced: bool) -> None:
    folder = RESULTS / re.sub(r"[^\w-]+", "-", request.node.name)
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    if traced:
        context.tracing.stop(path=folder / f"{name}-trace.zip")
