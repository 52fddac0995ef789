from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask.testing import FlaskClient

from kinodom_common.processes import Command, checked, run

pytestmark = pytest.mark.slow

LIGHTHOUSE = "/films/the-tin-lighthouse"
MOON = "/films/salt-and-moon/original/1"
FLEET = "/films/paper-fleet/original/1"
SECONDS = 8
KEY_LINE = re.compile(r'#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)",IV=0x([0-9a-f]{32})')


def text(site: FlaskClient, address: str) -> str:
    reply = site.get(address)
    assert reply.status_code == 200, address
    return reply.text


def body(site: FlaskClient, address: str) -> bytes:
    reply = site.get(address)
    assert reply.status_code == 200, address
    return bytes(reply.data)


def names(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def segments(site: FlaskClient, folder: str, playlist: str) -> list[bytes]:
    site.get(f"{folder}/master.m3u8")
    return [body(site, f"{folder}/{name}") for name in names(text(site, f"{folder}/{playlist}"))]


def probed(content: bytes, tmp_path: Path) -> list[dict[str, Any]]:
    """Return the streams of a file, every frame of which was decoded without a complaint."""
    path = tmp_path / "film"
    path.write_bytes(content)
    decoded = run(Command("ffmpeg", ("-v", "error", "-xerror", "-i", str(path), "-f", "null", "-")), timeout_s=60)
    assert (decoded.returncode, decoded.stderr) == (0, "")
    shown = ("-show_entries", "stream=codec_name,codec_type,height,start_time,duration", "-of", "json")
    told = checked(run(Command("ffprobe", ("-v", "error", *shown, str(path))), timeout_s=60), "ffprobe")
    streams: list[dict[str, Any]] = json.loads(told.stdout)["streams"]
    return streams


def test_an_empty_query_lists_all_films_and_words_choose(site: FlaskClient) -> None:
    every = site.get("/api/films").get_json()["films"]
    chosen = site.get("/api/films?q=%D0%BC%D0%B0%D1%8F%D0%BA+tin").get_json()["films"]  # "маяк tin"
    none = site.get("/api/films?q=nothing+like+it").get_json()["films"]

    assert [film["title"] for film in every] == ["The Tin Lighthouse", "Salt and Moon", "Paper Fleet"]
    assert [film["title_original"] for film in chosen] == ["Жестяной маяк"]
    assert none == []


def test_a_film_page_names_its_versions_and_parts(site: FlaskClient) -> None:
    film = site.get("/api/films/the-tin-lighthouse").get_json()["film"]

    assert [version["id"] for version in film["versions"]] == ["prichal", "kotelnaya"]
    assert [part["title"] for part in film["versions"][0]["parts"]] == [
        "What the Gulls Took",
        "A Bicycle for the Tide",
        "Oil for the Lamp",
    ]
    assert film["versions"][0]["parts"][2]["playlist"] == f"{LIGHTHOUSE}/prichal/3/master.m3u8"


@pytest.mark.parametrize(
    "address",
    [
        "/api/films/gone",
        "/films/gone/poster.jpg",
        f"{LIGHTHOUSE}/other/1/master.m3u8",
        f"{LIGHTHOUSE}/prichal/4/master.m3u8",
        f"{LIGHTHOUSE}/prichal/0/360.m3u8",
        f"{LIGHTHOUSE}/prichal/1/..%2f..%2flocks",
        f"{MOON}/key.txt",
    ],
)
def test_what_is_not_there_is_404(site: FlaskClient, address: str) -> None:
    reply = site.get(address)

    assert reply.status_code == 404


def test_the_site_is_alive_and_asks_for_no_key(site: FlaskClient) -> None:
    reply = site.get("/healthz")

    assert reply.status_code == 200


@pytest.mark.parametrize("slug", ["the-tin-lighthouse", "salt-and-moon", "paper-fleet"])
def test_posters_are_jpeg_of_400_by_600(site: FlaskClient, slug: str, tmp_path: Path) -> None:
    poster = site.get(f"/films/{slug}/poster.jpg")

    streams = probed(poster.data, tmp_path)
    assert poster.content_type == "image/jpeg"
    assert (streams[0]["codec_name"], streams[0]["height"]) == ("mjpeg", 600)


@pytest.mark.parametrize("folder", [f"{LIGHTHOUSE}/prichal/1", MOON, FLEET])
def test_playlists_have_two_heights_whole_segments_and_an_end(site: FlaskClient, folder: str) -> None:
    master = site.get(f"{folder}/master.m3u8")

    assert master.content_type == "application/vnd.apple.mpegurl"
    assert re.findall(r"RESOLUTION=(\S+?),", master.text) == ["640x360", "1280x720"]
    assert names(master.text) == ["360.m3u8", "720.m3u8"]
    for name in names(master.text):
        media = text(site, f"{folder}/{name}")
        lengths = [float(one) for one in re.findall(r"#EXTINF:([\d.]+),", media)]
        assert lengths == [4.0, 4.0]
        assert media.endswith("#EXT-X-ENDLIST\n")
        assert len(names(media)) == len(lengths)


def test_plain_segments_decode_and_begin_at_zero(site: FlaskClient, tmp_path: Path) -> None:
    parts = segments(site, f"{LIGHTHOUSE}/prichal/1", "720.m3u8")

    streams = probed(b"".join(parts), tmp_path)

    assert [(one["codec_name"], one.get("height")) for one in streams] == [("h264", 720), ("aac", None)]
    assert all(float(one["start_time"]) < 0.05 for one in streams)
    assert abs(float(streams[0]["duration"]) - SECONDS) < 0.1


def test_aes_segments_decode_with_the_key_of_16_bytes(site: FlaskClient, tmp_path: Path) -> None:
    parts = segments(site, MOON, "360.m3u8")
    address, initial = KEY_LINE.findall(text(site, f"{MOON}/360.m3u8"))[0]
    key = body(site, f"{MOON}/{address}")

    plain = bytearray()
    for part in parts:
        opener = Cipher(algorithms.AES(key), modes.CBC(bytes.fromhex(initial))).decryptor()
        opened = opener.update(part) + opener.finalize()
        plain += opened[: -opened[-1]]

    assert len(key) == 16
    assert parts[0][0] != 0x47  # the sync byte of a plain segment
    assert [one["codec_name"] for one in probed(bytes(plain), tmp_path)] == ["h264", "aac"]


def test_fragmented_segments_have_their_sound_apart(site: FlaskClient, tmp_path: Path) -> None:
    master = text(site, f"{FLEET}/master.m3u8")
    picture = body(site, f"{FLEET}/720_init.mp4") + b"".join(segments(site, FLEET, "720.m3u8"))
    sound = body(site, f"{FLEET}/sound_init.mp4") + b"".join(segments(site, FLEET, "sound.m3u8"))

    assert '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="group_sound"' in master
    assert [one["codec_name"] for one in probed(picture, tmp_path)] == ["h264"]
    assert [one["codec_name"] for one in probed(sound, tmp_path)] == ["aac"]


def test_dubs_and_episodes_sound_different_and_a_part_sounds_as_itself(site: FlaskClient, tmp_path: Path) -> None:
    def sound(folder: str) -> bytes:
        path = tmp_path / "part.ts"
        path.write_bytes(b"".join(segments(site, folder, "360.m3u8")))
        command = Command("ffmpeg", ("-v", "error", "-i", str(path), "-map", "0:a", "-f", "md5", "-"))
        return checked(run(command, timeout_s=60), "ffmpeg").stdout

    sums = [sound(f"{LIGHTHOUSE}/{part}") for part in ("prichal/1", "kotelnaya/1", "prichal/2", "prichal/1")]

    assert len(set(sums[:3])) == 3
    assert sums[3] == sums[0]


def test_subtitles_are_in_the_master_and_are_web_vtt_in_two_languages(site: FlaskClient) -> None:
    folder = f"{LIGHTHOUSE}/prichal/1"
    master = text(site, f"{folder}/master.m3u8")

    assert re.findall(r'TYPE=SUBTITLES,.*LANGUAGE="(\w+)".*URI="([^"]+)"', master) == [
        ("ru", "ru.m3u8"),
        ("en", "en.m3u8"),
    ]
    assert names(text(site, f"{folder}/ru.m3u8")) == ["ru.vtt"]
    vtt = site.get(f"{folder}/ru.vtt")
    assert vtt.content_type == "text/vtt; charset=utf-8"
    assert vtt.text.startswith("WEBVTT\n\n00:00.500 --> 00:03.500\nЛампу зажгли в шесть.\n")


def test_segments_can_be_had_in_ranges(site: FlaskClient) -> None:
    folder = f"{LIGHTHOUSE}/prichal/1"
    site.get(f"{folder}/master.m3u8")

    reply = site.get(f"{folder}/360_0000.ts", headers={"Range": "bytes=188-375"})

    assert (reply.status_code, len(reply.data), reply.data[0]) == (206, 188, 0x47)
