"""What had come of a long segment is kept over a stop, and used only while it is surely the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kinodom_downloader.domain.faults import Stopped
from kinodom_downloader.domain.fetched import Headway
from tests.support import origin
from tests.support.fetching import bytes_of, fetch_from
from tests.support.origin import Answer, Origin

pytestmark = pytest.mark.slow

CAME = 600_000  # of a segment before the host falls silent
KEPT = 2 * 262_144  # of these reached the disk
KEY = bytes(range(16))


def packets(seed: int) -> bytes:
    return b"".join(b"\x47\x1f\xff\x10" + bytes([seed, at % 251]) * 92 for at in range(6000))


def locked(plain: bytes) -> bytes:
    maker = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor()
    count = 16 - len(plain) % 16
    return maker.update(plain + bytes([count]) * count) + maker.finalize()


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        server.files["/index.m3u8"] = b"#EXTM3U\n#EXTINF:6,\nseg0.ts\n#EXTINF:6,\nseg1.ts\n#EXT-X-ENDLIST\n"
        server.files |= {"/seg0.ts": packets(1), "/seg1.ts": packets(2), "/key.bin": KEY}
        yield server


def stop_in_mid_segment(host: Origin, folder: Path) -> None:
    """Fetch until so much of the second segment has come, then stop."""

    def falls_silent(answer: Answer, _number: int) -> bool:
        body = answer.server.files["/seg1.ts"]
        answer.begin(len(body), {"ETag": '"one"'})
        answer.wfile.write(body[:CAME])
        answer.server.gate.wait(10)
        answer.close_connection = True
        return True

    came = [0]

    def note(progress: Headway) -> None:
        came.append(progress.fetched_bytes)

    host.faults["/seg1.ts"] = falls_silent
    with pytest.raises(Stopped):
        fetch_from(
            host, "/index.m3u8", folder, on_progress=note,
            should_stop=lambda: came[-1] >= len(host.files["/seg0.ts"]) + CAME,
        )  # fmt: skip
    host.gate.set()
    host.faults["/seg1.ts"] = origin.changed(bytes, {"ETag": '"one"'})
    host.heads.clear()


def asked_for(host: Origin) -> list[str | None]:
    return [head.get("Range") for path, head in host.heads if path == "/seg1.ts"]


def whole(host: Origin) -> bytes:
    return host.files["/seg0.ts"] + host.files["/seg1.ts"]


def test_after_a_stop_a_segment_goes_on_where_it_was(host: Origin, tmp_path: Path) -> None:
    stop_in_mid_segment(host, tmp_path)

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole(host)
    assert asked_for(host) == [f"bytes={KEPT - 1}-"]
    assert not list(tmp_path.rglob("*.part"))


def test_an_encrypted_segment_goes_on_where_it_was(host: Origin, tmp_path: Path) -> None:
    plain = whole(host)
    text = host.files["/index.m3u8"].decode()
    host.files["/index.m3u8"] = text.replace(
        "#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x{"0" * 32}\n#EXTINF', 1
    ).encode()
    host.files |= {path: locked(host.files[path]) for path in ("/seg0.ts", "/seg1.ts")}
    stop_in_mid_segment(host, tmp_path)

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == plain
    assert asked_for(host) == [f"bytes={KEPT - 1}-"]


def test_a_segment_that_was_exchanged_meanwhile_starts_over(host: Origin, tmp_path: Path) -> None:
    stop_in_mid_segment(host, tmp_path)
    host.files["/seg1.ts"] = packets(3)
    host.faults["/seg1.ts"] = origin.changed(bytes, {"ETag": '"two"'})

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole(host)
    assert asked_for(host) == [f"bytes={KEPT - 1}-", None]


def test_a_host_that_serves_no_ranges_sends_the_segment_anew(host: Origin, tmp_path: Path) -> None:
    stop_in_mid_segment(host, tmp_path)
    host.ranges = False

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole(host)


def test_after_a_power_cut_nothing_unflushed_is_believed(host: Origin, tmp_path: Path) -> None:
    stop_in_mid_segment(host, tmp_path)
    (tmp_path / "boot.txt").write_text("another time the machine ran")
    (tmp_path / "done.txt").write_text("")

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole(host)
    assert {(path, head.get("Range")) for path, head in host.heads[1:]} == {("/seg0.ts", None), ("/seg1.ts", None)}


def test_a_damaged_part_is_found_out_and_starts_over(host: Origin, tmp_path: Path) -> None:
    stop_in_mid_segment(host, tmp_path)
    [part] = tmp_path.rglob("*.part")
    part.write_bytes(b"\0" * part.stat().st_size)

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole(host)
    assert asked_for(host) == [f"bytes={KEPT - 1}-", None]


def test_a_short_segment_needs_no_part(host: Origin, tmp_path: Path) -> None:
    host.files |= {path: packets(4)[: 188 * 1000] for path in ("/seg0.ts", "/seg1.ts")}
    seen: list[Path] = []
    host.pace = lambda: seen.extend(tmp_path.rglob("*.part"))

    fetch_from(host, "/index.m3u8", tmp_path)

    assert seen == []
