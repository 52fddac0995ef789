from __future__ import annotations

from collections.abc import Iterator

import pytest

from kinodom_resolver.sources.kodik import Kodik
from tests.support.fake_archive import FakeArchive
from tests.support.fake_kodik import TOKEN, FakeKodik, served_kodik
from tests.support.fake_shikimori import FakeShikimori
from tests.support.outside import outside_for
from tests.support.served import served


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
def archive_url(archive: FakeArchive) -> Iterator[str]:
    with served(archive.app()) as url:
        yield url


@pytest.fixture
def kodik() -> Iterator[FakeKodik]:
    with served_kodik(FakeKodik()) as fake:
        yield fake


@pytest.fixture
def shikimori() -> FakeShikimori:
    return FakeShikimori()


@pytest.fixture
def shikimori_url(shikimori: FakeShikimori) -> Iterator[str]:
    with served(shikimori.app()) as url:
        yield url


@pytest.fixture
def kodik_source(kodik: FakeKodik, shikimori_url: str) -> Kodik:
    made = Kodik.build(
        {
            "kodik_token": TOKEN,
            "kodik_api_url": kodik.places["api"],
            "kodik_player_hosts": "127.0.0.1",
            "shikimori_enabled": "True",
            "shikimori_url": shikimori_url,
        },
        outside_for(*kodik.places.values(), shikimori_url),
    )
    assert made is not None
    return made
