"""Renditions by real workers over real Redis: whoever dies or is stopped, the film gets them, and is never harmed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import requests

from kinodom_common.ids import folder_of
from kinodom_common.store import open_store
from kinodom_downloader.adapters.publish import verify_folder
from tests.support import clips
from tests.support.shelved import a_track, put_on_shelf
from tests.support.works import INNER_KEY, Works, children_of, until, works

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def a_film(house: Works) -> str:
    """Publish a film that takes some seconds to encode."""
    film = house.folder / "busy.mkv"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=15,noise=alls=40:allf=t")
    clips.ffmpeg(*picture, "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", film)
    return put_on_shelf(house.media, a_track("webm", film))


def heights(house: Works, video_id: str) -> list[int | None]:
    folder = house.media / "library" / folder_of(video_id)
    return [track.height_px for track in verify_folder(folder, with_sums=True).video.tracks if track.kind == "video"]


def states(house: Works) -> list[str]:
    return [one.state for one in house.client.renditions().renditions]


def test_killed_and_told_to_stop_it_is_made_all_the_same_and_the_catalogue_hears_of_it(tmp_path: Path) -> None:
    with works(tmp_path) as house:
        video_id = a_film(house)
        house.environ["KINODOM_LADDER"] = "240"
        house.start_workers(1)

        assert until(lambda: states(house) == ["running"], 60)
        (worker,) = house.workers()
        for horse in children_of(worker):
            os.kill(horse, signal.SIGKILL)
        assert until(lambda: house.remakes()[video_id]["deaths"] == 1, 60)
        assert heights(house, video_id) == [360]
        assert until(lambda: house.remakes()[video_id]["state"] == "running", 60)
        figures = requests.get(f"{house.url}/metrics", headers={"X-Inner-Key": INNER_KEY}, timeout=10).text
        os.kill(worker, signal.SIGTERM)
        assert until(lambda: house.remakes().get(video_id, {}).get("attempt", 9) > 2, 60)
        handed_back = house.remakes().get(video_id, {})

        assert until(lambda: house.remakes() == {}, 90), (tmp_path / "workers.log").read_text()
        assert heights(house, video_id) == [360, 240]
        assert house.client.renditions().renditions == ()
        row = open_store(f"sqlite:///{tmp_path}/catalogue.sqlite").collection("videos").get(video_id)

    assert handed_back.get("deaths", 1) == 1  # being told to stop is no death
    assert row is not None
    assert [track["height_px"] for track in row["tracks"] if track["kind"] == "video"] == [360, 240]
    assert 'kinodom_renditions{state="running"} 1.0' in figures
    assert not list((house.media / "remakes").glob("*/*"))
