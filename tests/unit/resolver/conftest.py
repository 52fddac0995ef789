from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_archive import FakeArchive
from tests.support.served import served


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
def archive_url(archive: FakeArchive) -> Iterator[str]:
    with served(archive.app()) as url:
        yield url
