from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kinodom_demo.app import create_app
from kinodom_demo.settings import Settings

SECONDS = 8


class WholeReplies(FlaskClient):
    """A client that reads each reply to its end, so that no file of the site stays open."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""
        return super().open(*args, **{**kwargs, "buffered": True})


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def site(demo_root: Path) -> FlaskClient:
    """Return the site with short films; what it made is kept for all tests of the session."""
    app = create_app(Settings(demo_root=demo_root, demo_seconds=SECONDS))
    return WholeReplies(app, app.response_class)
