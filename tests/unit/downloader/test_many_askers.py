"""Many who ask for the same at once, on the real stack: one wish, one fetch, one folder, one row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from kinodom_downloader.domain.wishes import wish_id_of
from tests.support.works import PARTS, catalogue_rows, faults_of, request_for, until, visible_folders, works

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_common.contracts.wishes import WishReply

pytestmark = pytest.mark.slow
ASKERS = 64


def test_sixty_four_who_ask_at_once_are_served_by_one_download(tmp_path: Path) -> None:
    wish_id, together = wish_id_of(request_for(1)), Barrier(ASKERS)
    with works(tmp_path) as house:
        house.put_film(1)
        house.start_workers(3)
        clients = [house.client for _ in range(ASKERS)]

        def ask(number: int) -> WishReply:
            together.wait()
            return clients[number].wish(request_for(1, asked_by=f"viewer-{number}"))

        with ThreadPoolExecutor(ASKERS) as pool:
            replies = list(pool.map(ask, range(ASKERS)))
        assert until(lambda: house.states().get(wish_id) in ("ready", "refused", "waiting")), (
            tmp_path / "workers.log"
        ).read_text()

        assert {reply.wish.wish_id for reply in replies} == {wish_id}
        assert sum(reply.created for reply in replies) == 1
        assert house.states() == {wish_id: "ready"}
        assert [house.host.asked[f"/film-1/{name}"] for name in PARTS] == [1, 1, 1]
        assert [folder.name for folder in visible_folders(house.media)] == [wish_id]
        assert faults_of(visible_folders(house.media)[0], with_sums=True) == []
        assert catalogue_rows(tmp_path) == {wish_id: 1}
