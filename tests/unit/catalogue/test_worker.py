"""The worker on a real Redis: the hint is acted on, and a title without a hint is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from kinodom_catalogue.adapters.hints import QUEUE, QueueHints
from kinodom_catalogue.domain.ports import Which
from kinodom_catalogue.domain.videos import register_video
from kinodom_catalogue.jobs import make_catalogue_worker, sweep
from kinodom_catalogue.settings import Settings
from kinodom_catalogue.wiring import build, build_worker
from kinodom_common.queueing import connect, make_queue
from kinodom_common.settings import read_settings
from tests.support.catalogue_parts import NOW, FakeHints, card, video_id, video_in
from tests.support.fake_omdb import KEY, FakeOmdb
from tests.support.redis_server import RedisServer
from tests.support.served import served


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def environ(tmp_path: Path, redis_server: RedisServer) -> dict[str, str]:
    return {
        "KINODOM_INNER_KEY": "inner-key",
        "KINODOM_STORE": f"sqlite:///{tmp_path}/catalogue.sqlite",
        "KINODOM_REDIS_URL": redis_server.url,
        "KINODOM_COVERS_ROOT": str(tmp_path / "covers"),
        "KINODOM_SHIKIMORI_ENABLED": "false",
    }


def test_a_hint_through_redis_enriches_the_title_in_a_process_of_its_own(
    environ: dict[str, str], tmp_path: Path
) -> None:
    omdb = FakeOmdb()
    with served(omdb.app()) as url:
        omdb.known["tt3896198"]["Poster"] = f"{url}/poster.jpg"
        host = url.removeprefix("http://")
        more = {"KINODOM_OMDB_KEY": KEY, "KINODOM_OMDB_URL": url, "KINODOM_ALLOW_LAN": host}
        settings = read_settings(Settings, environ | more)
        web, deps = build(settings), build_worker(settings)
        for check in web.ready.values():
            check()
        wanted = video_in(card("ia:guardians", "Guardians", imdb_id="tt3896198"))
        made, _ = register_video(video_id(1), wanted, shelf=web.shelf, hints=web.hints, now=web.clock())

        make_catalogue_worker(settings, deps).work(burst=True, with_scheduler=False)

    stored = deps.shelf.title(made.title_id)
    assert stored is not None
    assert (stored.title.enrich_state, stored.title.enriched_by, stored.title.score) == ("done", "OMDb", 7.7)
    assert [path.name for path in (tmp_path / "covers").iterdir()] == [stored.title.cover]
    web.close()
    deps.close()


def test_the_same_hint_twice_is_one_and_redis_away_is_no_error(
    environ: dict[str, str], redis_server: RedisServer
) -> None:
    queue = make_queue(QUEUE + "-test", connect(redis_server.url))
    hints = QueueHints(queue)

    hints.enrich("t1", 0)
    hints.enrich("t1", 0)
    hints.enrich("t1", 1)
    QueueHints(make_queue(QUEUE, connect("redis://127.0.0.1:1/0"))).enrich("t1", 0)

    assert queue.job_ids == ["t1-0", "t1-1"]


def test_a_title_whose_hint_was_lost_is_swept_up(environ: dict[str, str], redis_server: RedisServer) -> None:
    settings = read_settings(Settings, environ)
    deps = build_worker(settings)
    register_video(video_id(1), video_in(), shelf=deps.shelf, hints=FakeHints(), now=NOW)

    given = sweep(deps)
    make_catalogue_worker(settings, deps).work(burst=True, with_scheduler=False)

    stored = deps.shelf.listed(Which(), 1, None)[0]
    assert given == 1
    assert stored.title.enrich_state == "off"  # no provider is switched on
    deps.close()


def test_settings_name_every_mistake_and_hide_the_key(environ: dict[str, str]) -> None:
    wrong = environ | {
        "KINODOM_STORE": "sqlite:///relative.sqlite",
        "KINODOM_COVERS_ROOT": "covers",
        "KINODOM_ALLOW_LAN": "nas",
        "KINODOM_OMDB_URL": "not an address",
        "KINODOM_OMDB_KEY": KEY,
    }

    with pytest.raises(SystemExit) as caught:
        read_settings(Settings, wrong)

    listing = str(caught.value)
    assert all(f"KINODOM_{name}:" in listing for name in ("STORE", "COVERS_ROOT", "ALLOW_LAN", "OMDB_URL"))
    assert KEY not in listing


def test_settings_read_lists_and_files(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    more = {"KINODOM_OMDB_KEY_FILE": str(tmp_path / "key"), "KINODOM_SHIKIMORI_MIRRORS": "https://a.one, https://b.one"}

    settings = read_settings(Settings, environ | more)

    assert settings.omdb_key == SecretStr(KEY)
    assert [str(url) for url in settings.shikimori_mirrors] == ["https://a.one/", "https://b.one/"]
    assert not settings.shikimori_enabled


def test_a_worker_without_a_key_does_not_ask_omdb(environ: dict[str, str]) -> None:
    deps = build_worker(read_settings(Settings, environ))

    assert dict(deps.providers) == {}
    deps.close()
