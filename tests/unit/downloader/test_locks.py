"""AES-128 opened step by step, by OpenSSL and where that cannot be called."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kinodom_downloader.adapters import locks
from kinodom_downloader.domain import gate

KEY, IV = bytes(range(16)), bytes(range(100, 116))
PLAIN = bytes(number % 251 for number in range(1000))


def locked(plain: bytes) -> bytes:
    maker = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
    return maker.update(plain) + maker.finalize()


def padded(plain: bytes) -> bytes:
    count = 16 - len(plain) % 16
    return plain + bytes([count]) * count


@pytest.fixture(params=["openssl", "without it"])
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "openssl":
        assert locks._openssl() is not None
    else:
        monkeypatch.setattr(locks, "_openssl", lambda: None)
    return str(request.param)


def unlocked(body: bytes, room_bytes: int, key: bytes = KEY) -> bytes:
    found = bytearray()
    room = memoryview(bytearray(room_bytes))
    locks.unlock(body, found.extend, key=key, iv_hex=IV.hex(), room=room)
    return bytes(found)


@pytest.mark.usefixtures("opener")
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 999, 1000])
@pytest.mark.parametrize("room_bytes", [16, 40, 256, 4096])
def test_a_segment_is_the_same_in_however_many_steps_it_is_opened(length: int, room_bytes: int) -> None:
    plain = PLAIN[:length]

    assert unlocked(locked(padded(plain)), room_bytes) == plain


@pytest.mark.usefixtures("opener")
def test_another_key_is_told_by_the_padding() -> None:
    with pytest.raises(gate.NotThatMedia, match="its key does not open"):
        unlocked(locked(padded(PLAIN)), 256, key=bytes(16))


@pytest.mark.usefixtures("opener")
def test_what_is_not_made_of_blocks_is_not_locked() -> None:
    with pytest.raises(gate.NotThatMedia, match="a web page"):
        unlocked(b"<!doctype html><p>Please log in", 256)
    with pytest.raises(gate.NotThatMedia, match="no media"):
        unlocked(locked(padded(PLAIN))[:-1], 256)
