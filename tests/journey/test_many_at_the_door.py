"""Sixty-four clients ask the public door for one film at once: one fetch, one folder, one row, one tale for all."""

from __future__ import annotations

import queue
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests
import socketio

from tests.support import media, origin
from tests.support.real_house import real_house
from tests.support.works import faults_of, visible_folders

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.house, pytest.mark.timeout(300)]
CLIENTS = 64
ENDS = ("task_completed", "task_failed")


class Listener:
    """A page that listens to downloads through the sync service."""

    def __init__(self, address: str) -> None:
        self._session = requests.Session()
        token = self._session.get(f"{address}/api/v1/me", timeout=30).json()["member_token"]
        self._got: queue.Queue[dict[str, Any]] = queue.Queue()
        self._client = socketio.Client(reconnection=False)
        self._client.on("download", self._got.put, namespace="/sync")
        self._client.connect(address, transports=["websocket"], namespaces=["/sync"], wait_timeout=30)
        self._line = self._client.eio.ws.sock
        hello = {"proto": 1, "token": token, "room": None, "downloads": True}
        self._client.emit("hello", hello, namespace="/sync")

    def tale(self) -> list[dict[str, Any]]:
        """Return all that was told until the film was done."""
        told = [self._got.get(timeout=60)]
        while told[-1]["type"] not in ENDS:
            told.append(self._got.get(timeout=60))
        return told

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._line.close()
        self._session.close()


def test_sixty_four_clients_at_the_door_are_served_by_one_fetch(tmp_path: Path) -> None:
    together = Barrier(CLIENTS)
    with origin.origin() as host, real_house(tmp_path / "data", KINODOM_ALLOW_LAN=f"127.0.0.1:{host.port}") as house:
        host.put(media.hls_ts())
        address = f"http://127.0.0.1:{house.port}"
        listeners = [Listener(address), Listener(address)]

        def ask(_number: int) -> tuple[int, dict[str, Any]]:
            with requests.Session() as session:
                mark = re.search('<meta name="csrf" content="([^"]+)"', session.get(address, timeout=60).text)
                headers = {"X-CSRF-Token": mark[1] if mark else ""}
                film = {"address": f"{host.address}/index.m3u8"}
                together.wait(60)
                reply = session.post(f"{address}/api/v1/downloads", json=film, headers=headers, timeout=60)
                return reply.status_code, reply.json()

        with ThreadPoolExecutor(CLIENTS) as pool:
            replies = list(pool.map(ask, range(CLIENTS)))
        tales = [listener.tale() for listener in listeners]
        for listener in listeners:
            listener.close()
        videos = requests.get(f"{address}/api/v1/videos", timeout=30).json()["videos"]
        wishes = requests.get(f"{address}/api/v1/wishes", timeout=30).json()["wishes"]
        folders = visible_folders(house.folder / "media")
        faults = [fault for folder in folders for fault in faults_of(folder, with_sums=True)]

    begun = [reply for status, reply in replies if status == 202]
    there = [reply for status, reply in replies if status == 409]
    [wish_id] = {reply["wish_id"] for reply in there}
    assert (len(begun), len(there)) == (1, CLIENTS - 1)
    assert [one["wish_id"] for one in begun[0]["wishes"]] == [wish_id]
    assert {reply["code"] for reply in there} == {"download_there"}
    assert {reply["state"] for reply in there} <= {"wanted", "running", "publishing", "ready"}
    assert [wish["wish_id"] for wish in wishes] == [wish_id]
    assert [video["video_id"] for video in videos] == [wish_id]
    assert [folder.name for folder in folders] == [wish_id]
    assert faults == []
    assert [host.asked[f"/seg{index}.ts"] for index in range(6)] == [1] * 6
    assert tales[0] == tales[1]
    assert Counter(one["type"] for one in tales[0])["task_started"] == 1
    assert tales[0][-1]["type"] == "task_completed"
    assert any(one["type"] == "task_progress" and one["progress"]["segments_done"] == 6 for one in tales[0])
