"""A film that is gathered survives kills, power cuts, other offers, other processes and odd pieces."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_downloader.adapters.gathered import LIST, TRACK
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.domain.boxes import boxes_in
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.plan import Plan
from tests.support import clips, media, origin
from tests.support.fetching import bytes_of, fetch_from
from tests.support.killing import fetch_and_kill
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

ENTRY = "/master.m3u8"


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        server.put(clips.heavy_apart())
        yield server


@pytest.fixture
def film(host: Origin, tmp_path: Path) -> list[bytes]:
    """Return the track files of a fetch that nothing disturbed."""
    found = tracks_of(fetch_from(host, ENTRY, tmp_path / "undisturbed"))
    host.asked.clear()
    host.sent_bytes = 0
    return found


def tracks_of(fetched: Fetched) -> list[bytes]:
    """Return the files of a film of which each track is gathered."""
    assert all(track.gathered for track in fetched.tracks)
    return [bytes_of(track) for track in fetched.tracks]


def begun(host: Origin, folder: Path) -> list[str]:
    """Fetch a part of the film in a process that is killed, and return the paths of the pieces that are gathered."""
    fetch_and_kill(host, ENTRY, folder, requests=30, later_s=0.3)
    gathered = [
        f"/s{track.name[1:]}-{int(line.split()[0]) - 1}.m4s"
        for track in folder.glob("t*")
        for line in (track / LIST).read_text().splitlines()[1:]
    ]
    assert len(gathered) > 10
    host.asked.clear()
    return gathered


def asked_again(host: Origin) -> int:
    return sum(count - 1 for path, count in host.asked.items() if path.endswith(".m4s"))


def lose_power(folder: Path) -> None:
    """Spoil everything that was not flushed."""
    listed = {tuple(line.split()[:2]) for line in (folder / "done.txt").read_text().splitlines()}
    for track in folder.glob("t*"):
        number = track.name[1:]
        for piece in track.glob("*.seg"):
            if (number, str(int(piece.stem))) not in listed:
                piece.write_bytes(bytes(piece.stat().st_size))
        if not (track / LIST).exists():
            continue
        first, *rows = (track / LIST).read_text().splitlines()
        end = int(first.split()[2])
        for index, length in (row.split() for row in rows):
            if (number, index) not in listed:
                break
            end += int(length)
        whole = (track / TRACK).read_bytes()
        (track / TRACK).write_bytes(whole[:end] + bytes(len(whole) - end))
    (folder / "boot.txt").write_text("another time the machine ran")


def test_killed_again_and_again_the_film_is_the_same(host: Origin, film: list[bytes], tmp_path: Path) -> None:
    for requests in (14, 9, 11):
        fetch_and_kill(host, ENTRY, tmp_path / "parts", requests=requests)

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert tracks_of(fetched) == film
    assert asked_again(host) <= 3 * 6  # four workers, and a little for the moment between the request and the kill


def test_after_a_kill_every_piece_that_was_gathered_is_used(host: Origin, film: list[bytes], tmp_path: Path) -> None:
    gathered = begun(host, tmp_path / "parts")

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert tracks_of(fetched) == film
    assert [path for path in gathered if host.asked[path]] == []


@pytest.mark.parametrize("requests", [8, 20, 33])
def test_after_a_power_cut_only_what_was_flushed_counts(
    host: Origin, film: list[bytes], tmp_path: Path, requests: int
) -> None:
    fetch_and_kill(host, ENTRY, tmp_path / "parts", requests=requests, later_s=0.3)
    lose_power(tmp_path / "parts")

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert tracks_of(fetched) == film


def test_pieces_in_files_of_their_own_as_they_were_kept_before_are_gathered(
    host: Origin, film: list[bytes], tmp_path: Path
) -> None:
    fetch_from(host, ENTRY, tmp_path / "parts")
    plan = Plan.from_json((tmp_path / "parts" / "plan.json").read_text())
    assert plan is not None
    folder = WorkFolder.opened(tmp_path / "parts", plan)
    for track in range(3):
        folder.spill(track)
    assert len(list((tmp_path / "parts").glob("t*/*.seg"))) == sum(len(track.segments) for track in plan.tracks)
    host.asked.clear()

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert [media.packets_of(*track.parts) for track in fetched.tracks] == packets(film, tmp_path)
    assert sum(count for path, count in host.asked.items() if path.endswith(".m4s")) == 0
    assert [path.name for path in (tmp_path / "parts").glob("t*/*.seg")] == ["000000.seg"] * 3


def packets(film: list[bytes], folder: Path) -> list[list[str]]:
    found = []
    for body in film:
        (folder / "track").write_bytes(body)
        found.append(media.packets_of(folder / "track"))
    return found


@pytest.mark.parametrize("index", [0, 4])
def test_a_piece_of_another_place_is_taken_out_again_and_fetched_anew(
    host: Origin, film: list[bytes], tmp_path: Path, index: int
) -> None:
    host.faults[f"/s0-{index}.m4s"] = origin.times(1, origin.sends(host.files["/s0-7.m4s"]))

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert [media.packets_of(*track.parts) for track in fetched.tracks] == packets(film, tmp_path)
    assert host.asked[f"/s0-{index}.m4s"] == 2
    assert asked_again(host) == 1


def also_at(host: Origin, folder: str, *, changed: bool = False) -> None:
    """Serve the film at another address too; `changed`: as another rendition with the same list."""
    for path, body in list(host.files.items()):
        other = body[:-1] + bytes([body[-1] ^ 1]) if changed and path.endswith(".m4s") else body
        host.files[f"/{folder}{path}"] = other


def test_another_offer_of_the_same_pieces_goes_on_where_the_first_one_failed(
    host: Origin, film: list[bytes], tmp_path: Path
) -> None:
    also_at(host, "b")
    gathered = begun(host, tmp_path / "parts")

    fetched = fetch_from(host, f"/b{ENTRY}", tmp_path / "parts")

    assert tracks_of(fetched) == film
    assert sum(host.asked[f"/b{path}"] for path in gathered) <= 3  # one of each track to compare


def test_pieces_of_another_rendition_are_never_mixed_in(host: Origin, film: list[bytes], tmp_path: Path) -> None:
    also_at(host, "other", changed=True)
    begun(host, tmp_path / "parts")

    fetched = fetch_from(host, f"/other{ENTRY}", tmp_path / "parts")

    alone = fetch_from(host, f"/other{ENTRY}", tmp_path / "alone")
    assert tracks_of(fetched) == tracks_of(alone) != film


def test_a_process_that_lost_the_film_spoils_nothing(host: Origin, film: list[bytes], tmp_path: Path) -> None:
    begun(host, tmp_path / "parts")
    place = tmp_path / "parts" / "t0" / TRACK

    with place.open("r+b") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        fetched = fetch_from(host, ENTRY, tmp_path / "parts")
        others.seek(0)
        others.write(bytes(1_000_000))

    assert tracks_of(fetched) == film


def without_key(segment: bytes) -> bytes:
    """Return a segment whose first sample is marked as no key frame."""
    run = next(box for box in boxes_in(segment) if box.kind == "trun")
    flags_at = run.start + 20  # first_sample_flags, as ffmpeg writes them
    return segment[:flags_at] + (0x01010000).to_bytes(4) + segment[flags_at + 4 :]


@pytest.mark.parametrize("odd", ["break", "second map", "no key frame"])
def test_an_odd_film_stays_in_pieces(host: Origin, tmp_path: Path, odd: str) -> None:
    listed = host.files["/l0.m3u8"].decode()
    if odd == "break":
        host.files["/l0.m3u8"] = listed.replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF", 5).encode()
    elif odd == "second map":
        before, after = listed.split("s0-5.m4s\n")
        host.files["/l0.m3u8"] = f'{before}s0-5.m4s\n#EXT-X-MAP:URI="again.mp4"\n{after}'.encode()
        host.files["/again.mp4"] = host.files["/init-0.mp4"]
    else:
        host.files["/s0-8.m4s"] = without_key(host.files["/s0-8.m4s"])

    fetched = fetch_from(host, ENTRY, tmp_path / "parts")

    assert [track.gathered for track in fetched.tracks] == [()] * 3
    source = tmp_path / "source.mp4"
    source.write_bytes(host.files["/init-0.mp4"] + b"".join(host.files[f"/s0-{index}.m4s"] for index in range(12)))
    assert media.packets_of(*fetched.tracks[0].parts) == media.packets_of(source)
