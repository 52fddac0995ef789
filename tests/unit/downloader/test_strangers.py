"""What strangers write into lists, redirects and titles leads to nobody else, and into no path and no argument."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.heartbeat import ThreadHeartbeat
from kinodom_downloader.domain import asking
from tests.support import media, origin
from tests.support.calls import connections, leads_home, programs
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.origin import Answer, Origin
from tests.support.works import children_of
from tests.support.workshop import REQUEST, Workshop

pytestmark = pytest.mark.slow

INWARD = (
    *("http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://0.0.0.0:{port}/x", "http://127.1:{port}/x"),
    *("http://2130706433:{port}/x", "http://0x7f.1:{port}/x", "http://017700000001:{port}/x", "//127.0.0.1:{port}/x"),
    *("http://user@127.0.0.1:{port}/x", "http://a.example@127.0.0.1:{port}/x", "http://router.example:{port}/x"),
    *("http://[::1]:{port}/x", "http://[::ffff:127.0.0.1]:{port}/x", "http://[::ffff:7f00:1]:{port}/x"),
    *("http://[::127.0.0.1]:{port}/x", "http://[64:ff9b::7f00:1]:{port}/x", "http://[2002:7f00:1::]:{port}/x"),
    *("http://169.254.169.254/latest", "http://[fe80::1]:{port}/x", "http://[fd00:ec2::254]/latest"),
    *("http://10.0.0.1/x", "http://172.16.0.1/x", "http://192.168.0.1/x", "http://100.64.0.1/x", "http://224.0.0.1/x"),
    *("http://127.0.0.1:22/x", "http://①②⑦.0.0.1:{port}/x", "https://127.0.0.1:{port}/x"),
)
ODD = (
    *(
        "a\"b'c.ts",
        "%0d%0aSet-Cookie:%20a=b.ts",
        "x" * 300 + ".ts",
        "Фильм 😀.ts",
        "-i",
        "--",
        "-f.ts",
        "a b.ts",
        "%00.ts",
    ),
    *("..%2f..%2f..%2fetc%2fpasswd", "../../../../seg.ts", "$(id).ts", "`id`.ts", "a;b&c|d>e.ts", "\\\\host\\x.ts"),
    *("~root", "file:seg.ts", "concat:a|b.ts", "a\tb.ts", "%2e%2e/%2e%2e/x.ts", "CON", "*.ts", "{a,b}.ts", "%s%n.ts"),
)
ODD_HOSTS = (
    *('a"b', "a b", "a'b", "-i", "..%2f..", "x" * 300, "😀.example", "a%0d%0ab", "a\tb", "[", "a;b", "$(id)", "a|b"),
    *("`id`", "..", "a..b", "%00", "a\\b", "*", "--", "xn--\ud800".encode("utf-8", "ignore").decode()),
)
HOSTILE = "-i \"'`$(id)`\r\n#EXT-X-ENDLIST\n<b>&amp;</b> ../../x %0d%0a 😀 " + "я" * 60
OURS = re.compile(r"([a-z]+(-[a-z0-9]+)*)\.(mp4|m3u8|mpd|jpg|vtt|json|txt)")


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        server.put(media.hls_ts())
        yield server


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def verdict(host: Origin, entry: str, folder: Path) -> str:
    """Return the code of what fetching ends with, where every name is that of this machine."""
    transport = transport_for(host)
    try:
        fetch_from(
            host, entry, folder, transport=replace(transport, rules=replace(transport.rules, resolve=leads_home))
        )
    except KinodomError as exc:
        return exc.code
    return "fetched"


@pytest.mark.parametrize("what", ["playlist", "segment", "key", "init section", "variant"])
def test_case_13_a_redirect_inward_is_followed_by_nobody(host: Origin, tmp_path: Path, what: str) -> None:
    host.files["/key.bin"] = media.KEY
    if what == "key":
        host.put(media.hls_aes())
    if what == "init section":
        host.put(media.hls_fmp4())
    host.files["/m.m3u8"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n"
    turned = {"playlist": "/m.m3u8", "segment": "/seg3.ts", "key": "/key.bin", "init section": "/init.mp4"}
    verdicts: dict[str, str] = {}

    with origin.origin() as stranger, connections() as called:
        for number, where in enumerate(INWARD):
            to = where.format(port=stranger.port)
            location = to.encode().decode("latin-1")  # as bytes beyond ASCII come in a header
            host.faults = {turned.get(what, "/index.m3u8"): origin.moved(location)}
            verdicts[where] = verdict(host, "/m.m3u8", tmp_path / str(number))

    assert set(called) == {("127.0.0.1", host.port)}
    assert stranger.asked == {}
    assert set(verdicts.values()) == {"address_refused"}, verdicts


def test_case_25_names_of_segments_reach_no_path(host: Origin, tmp_path: Path) -> None:
    fetch_from(host, "/index.m3u8", tmp_path / "plain")
    rows = [f"#EXT-X-DISCONTINUITY\n#EXTINF:2,\n{name}?n={index}" for index, name in enumerate(ODD)]
    host.files["/odd.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()

    def numbered(answer: Answer, _number: int) -> bool:
        mark = re.search(r"\?n=(\d+)$", answer.path)
        if mark is not None:
            answer.serve(host.files[f"/seg{int(mark[1]) % 6}.ts"])
        return mark is not None

    host.faults["*"] = numbered
    refused = ("file:seg.ts", "concat:a|b.ts")  # these are addresses of other kinds
    for name in refused:
        with pytest.raises(KinodomError, match="not fetched"):
            fetch_from(host, "/odd.m3u8", tmp_path / "refused")
        host.files["/odd.m3u8"] = host.files["/odd.m3u8"].replace(name.encode(), b"other.ts")

    (track,) = fetch_from(host, "/odd.m3u8", tmp_path / "odd").tracks

    assert bytes_of(track) == b"".join(host.files[f"/seg{index % 6}.ts"] for index in range(len(ODD)))
    assert sorted({re.sub(r"\d+", "0", name) for name in names_below(tmp_path / "odd")}) == sorted(
        {re.sub(r"\d+", "0", name) for name in names_below(tmp_path / "plain")}
    )
    assert {path.name for path in tmp_path.iterdir()} <= {"plain", "odd", "refused"}


def test_case_25_odd_hosts_are_refused_and_not_called(host: Origin, tmp_path: Path) -> None:
    text = host.files["/index.m3u8"].decode()
    verdicts: dict[str, str] = {}

    with connections() as called:
        for number, name in enumerate(ODD_HOSTS):
            host.files["/odd.m3u8"] = text.replace("seg3.ts", f"http://{name}/seg3.ts").encode()
            verdicts[name] = verdict(host, "/odd.m3u8", tmp_path / str(number))

    assert set(called) == {("127.0.0.1", host.port)}
    assert set(verdicts.values()) <= {"address_refused", "playlist_bad", "playlist_refused"}, verdicts


def test_case_25_titles_reach_no_path_no_argument_and_no_line_of_a_list(host: Origin, tmp_path: Path) -> None:
    card = TitleCard(external_id=f"test:{quote(HOSTILE, safe='')}"[:200], name=HOSTILE, original_name=HOSTILE)
    request = WishRequest(
        external_id=card.external_id, title=card, season=1, episode=2, episode_name=HOSTILE, translation_name=HOSTILE
    )
    plain = Workshop(tmp_path / "plain", tmp_path / "plain" / "media", host, request=REQUEST)
    plain.work()
    shop = Workshop(tmp_path / "odd", tmp_path / "odd" / "media", host, request=request)

    with programs() as started:
        wish = shop.work()

    [folder] = shop.media_root.glob("library/*/*")
    [usual] = plain.media_root.glob("library/*/*")
    assert wish is not None
    assert wish.state == "ready"
    assert folder.name == shop.wish_id
    assert names_below(folder) == names_below(usual)
    assert all(OURS.fullmatch(name) for name in names_below(folder)), names_below(folder)
    assert started
    assert [words for words in started if any("$(id)" in word or "😀" in word for word in words)] == []
    assert ElementTree.fromstring((folder / "manifest.mpd").read_text("utf-8")).tag.endswith("MPD")
    assert (folder / "master.m3u8").read_text("utf-8").count("\n") == (usual / "master.m3u8").read_text("utf-8").count(
        "\n"
    )
    assert (folder / "metadata.txt").read_text("utf-8").splitlines()[0].startswith("title: ")


@pytest.mark.parametrize("when", ["with one segment of a hundred left", "while it is packaged"])
def test_case_25_a_wish_that_is_cancelled_late_leaves_nothing(host: Origin, tmp_path: Path, when: str) -> None:
    rows = [f"#EXT-X-DISCONTINUITY\n#EXTINF:2,\nseg{index % 6}.ts?{index}" for index in range(100)]
    host.files["/long.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
    cancelled: list[str] = []

    def watch(progress: Progress) -> None:
        late = progress.segments_done == 99 if "left" in when else progress.stage == "packaging"
        if late and not cancelled:
            cancelled.append(progress.stage)
            asking.forget(shop.wish_id, desk=shop.desk)

    if "left" in when:
        host.faults["/seg3.ts"] = lambda answer, _number: answer.path.endswith("?99") and not host.gate.wait(30)
    shop = Workshop(tmp_path / "store", tmp_path / "media", host, "/long.m3u8", on_progress=watch)
    shop.tools = replace(shop.tools, heartbeat=partial(ThreadHeartbeat, look_s=0.05))

    wish = shop.work()

    assert cancelled == ["fetching" if "left" in when else "packaging"]
    assert wish is None
    assert shop.wishes.some([shop.wish_id]) == []
    assert shop.rows == {}
    assert [path for path in shop.media_root.rglob("*") if path.is_file()] == []
    assert list((shop.media_root / "work").iterdir()) == []
    assert [pid for pid in children_of(os.getpid()) if "ffmpeg" in Path(f"/proc/{pid}/comm").read_text()] == []
