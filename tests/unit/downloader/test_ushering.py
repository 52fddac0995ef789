"""The usher: a film for each process, and a death that takes no other film with it. Real processes."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.child_processes import python

USHER = """
import os, signal, sys, time
from pathlib import Path
from kinodom_common.logs import set_up_logs
from kinodom_downloader.adapters.ushering import Usher
from kinodom_downloader.domain.working import HandedBack

folder = Path(sys.argv[1])
set_up_logs("sample-usher")

class Wants:
    asked = ["crashes", "plays", "plays", "broken"]
    def next_hurry(self, wait_s):
        if self.asked:
            return self.asked.pop(0)
        time.sleep(0.02)
        return None

def hand_back(_number, _frame):
    raise HandedBack("stop")

def show(wish_id):
    signal.signal(signal.SIGTERM, hand_back)
    (folder / f"{wish_id}-{os.getpid()}").touch()
    if wish_id == "crashes":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish_id == "broken":
        raise RuntimeError("a mistake of ours")
    try:
        time.sleep(60)
    except HandedBack:
        (folder / "handed-back").touch()

def died(pid):
    print("died", next(path.name.partition("-")[0] for path in folder.glob(f"*-{pid}")), flush=True)

Usher(Wants(), show=show, sweep=lambda: (folder / "swept").touch(), died=died).run()
print("left", flush=True)
"""


def test_each_film_has_a_process_and_a_dead_one_is_told(tmp_path: Path) -> None:
    usher = python(USHER, str(tmp_path))
    assert usher.stdout is not None

    told = {usher.stdout.readline().strip() for _ in range(2)}
    usher.send_signal(signal.SIGTERM)
    rest, _complaints = usher.communicate(timeout=30)

    names = sorted(path.name.partition("-")[0] for path in tmp_path.glob("*-*") if path.name != "handed-back")
    assert told == {"died crashes", "died broken"}
    assert rest.split() == ["left"]
    assert names == ["broken", "crashes", "plays"]
    assert (tmp_path / "handed-back").exists()
    assert (tmp_path / "swept").exists()
