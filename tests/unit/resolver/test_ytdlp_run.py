"""yt-dlp in a child: real runs against an invented PeerTube instance, through the real proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Response

from kinodom_common.egress import AddressRefused
from kinodom_common.processes import Command, Limits, run
from kinodom_resolver.adapters.ytdlp_run import CHILD, LIMITS, YtDlpFailed, YtDlpRuns, YtDlpTimeout, YtDlpUnknown
from kinodom_resolver.sources.ytdlp import YtDlp
from tests.support.certificates import Authority
from tests.support.fake_peertube import HOST, WALK, WALK_ADDRESS, FakePeerTube, served_over_tls
from tests.support.wires import http, says, wire_server

pytestmark = pytest.mark.slow

EXTERNAL_ID = f"ytdlp:peertube%3A{HOST}%3A{WALK}"


@pytest.fixture
def tube() -> FakePeerTube:
    site = FakePeerTube()
    site.captions = {"data": [{"language": {"id": "fr"}, "captionPath": "/c/fr.vtt"}]}
    return site


@pytest.fixture
def runs(tube: FakePeerTube, tmp_path: Path) -> Iterator[YtDlpRuns]:
    authority = Authority()
    (tmp_path / "authorities.pem").write_bytes(authority.pem)
    with served_over_tls(tube, authority) as rules:
        yield YtDlpRuns(rules=rules, extractors=("default",), timeout_s=60, authorities=tmp_path / "authorities.pem")


def children() -> set[int]:
    return {int(word) for word in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


def leftovers() -> list[Path]:
    return list(Path("/tmp").glob("kinodom-ytdlp-*"))


def test_a_page_becomes_a_title_with_fresh_offers(runs: YtDlpRuns) -> None:
    source = YtDlp(runs)

    title = source.title(EXTERNAL_ID)
    offers = source.offers(EXTERNAL_ID, None, None, "original")

    card = title.card
    assert (card.name, card.people, card.licence, card.year, card.poster_url) == (
        "A Walk by the Sea", ("Ada",), "Attribution", 2019, f"https://{HOST}/lazy/1.jpg",
    )  # fmt: skip
    assert title.translations[0].episodes[0].duration_s == 61
    assert title.translations[0].heights_px == (720, 480, 360)
    assert [(one.delivery, one.url, one.height_px) for one in offers] == [
        ("hls", f"https://{HOST}/hls/master.m3u8", None),
        ("progressive", f"https://{HOST}/f/480.mp4", 480),
    ]
    assert [(one.language, one.url) for one in offers[0].subtitles] == [("fr", f"https://{HOST}/c/fr.vtt")]


def test_an_address_nobody_knows_asks_nobody(runs: YtDlpRuns, tube: FakePeerTube) -> None:
    assert YtDlp(runs).search(f"https://{HOST}/hls/master.m3u8") == []
    assert tube.asked == []


def test_a_site_that_is_not_on_the_list_is_not_asked(runs: YtDlpRuns, tube: FakePeerTube) -> None:
    with pytest.raises(YtDlpUnknown):
        replace(runs, extractors=("vimeo",)).extract(WALK_ADDRESS)

    assert tube.asked == []


@pytest.mark.parametrize("extractors", [("generic",), ("all",), (".*",)])
def test_the_generic_extractor_cannot_be_allowed(runs: YtDlpRuns, tube: FakePeerTube, extractors: tuple[str]) -> None:
    with pytest.raises(YtDlpUnknown):
        replace(runs, extractors=extractors).extract(f"https://{HOST}/some/page")

    assert tube.asked == []


@pytest.mark.parametrize("address", ["--exec=touch", "-o x", "file", "https://a b", ""])
def test_what_is_no_address_starts_nothing(runs: YtDlpRuns, address: str) -> None:
    with pytest.raises(YtDlpUnknown):
        replace(runs, child=Path("/nonexistent")).extract(address)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_to_an_inner_address_is_refused(runs: YtDlpRuns, tube: FakePeerTube, scheme: str) -> None:
    with wire_server(says(http(b"{}"))) as inner:
        leads = {"Location": f"{scheme}://inner.example:{inner.port}/api"}
        tube.instead = lambda: Response(status=302, headers=leads)

        with pytest.raises(AddressRefused, match=r"inner\.example"):
            runs.extract(WALK_ADDRESS)

        assert inner.requests == []


def test_an_extraction_that_hangs_is_killed_in_time(runs: YtDlpRuns, tube: FakePeerTube) -> None:
    tube.instead = tube.hang
    before = children()

    with pytest.raises(YtDlpTimeout):
        replace(runs, timeout_s=3).extract(WALK_ADDRESS)

    assert children() == before
    assert leftovers() == []


def test_a_page_that_yt_dlp_cannot_read_is_a_failure_in_plain_words(runs: YtDlpRuns, tube: FakePeerTube) -> None:
    tube.instead = lambda: Response("{}", status=403)

    with pytest.raises(YtDlpFailed) as caught:
        runs.extract(WALK_ADDRESS)

    assert "403" in caught.value.detail
    assert "http" not in caught.value.detail.lower().replace("http error", "")


def test_too_little_memory_is_a_failure_and_no_crash_of_ours(runs: YtDlpRuns) -> None:
    with pytest.raises(YtDlpFailed):
        replace(runs, limits=replace(LIMITS, address_space_bytes=24 * 1024**2)).extract(WALK_ADDRESS)


def test_environment_configuration_and_plugins_are_ignored(
    runs: YtDlpRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    trap = f"open({str(marker)!r}, 'a').write('x')\n"
    for folder in ("yt_dlp_plugins/extractor", ".config/yt-dlp/plugins/p/yt_dlp_plugins/extractor"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "trap.py").write_text(trap)
    (tmp_path / "sitecustomize.py").write_text(trap)
    (tmp_path / ".config/yt-dlp/config").write_text(f"--exec before_dl:'touch {marker}'\n--proxy http://127.0.0.1:1\n")
    (tmp_path / ".netrc").write_text("machine peertube login a password b\n")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name, value in {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path / ".config", "PYTHONPATH": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("NO_PROXY", "*")

    facts = runs.extract(WALK_ADDRESS)

    assert facts["title"]
    assert not marker.exists()


def test_cookies_go_along_and_their_file_stays_as_it_was(runs: YtDlpRuns, tube: FakePeerTube, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(f"# Netscape HTTP Cookie File\n{HOST}\tFALSE\t/\tTRUE\t4000000000\tsession\tinvented\n")
    cookies.chmod(0o400)
    before = (cookies.read_bytes(), cookies.stat().st_mtime_ns)

    replace(runs, cookies=cookies).extract(WALK_ADDRESS)

    assert any(headers.get("Cookie") == "session=invented" for _, headers in tube.asked)
    assert (cookies.read_bytes(), cookies.stat().st_mtime_ns) == before
    assert leftovers() == []


GUARDED = """
import runpy, socket, subprocess, os
guard = runpy.run_path({child!r})["guard"]
guard(1, {folder!r})
def refused(call, *words):
    try:
        call(*words)
    except PermissionError:
        return True
    except OSError:
        pass
    return False
print(refused(subprocess.Popen, ["true"]), refused(os.system, "true"), refused(os.fork),
      refused(socket.create_connection, ("127.0.0.1", 2)), refused(socket.getaddrinfo, "site.example", 80),
      refused(open, {secret!r}), refused(open, {folder!r} + "/../x", "w"),
      refused(socket.create_connection, ("127.0.0.1", 1)), refused(open, {folder!r} + "/y", "w"))
"""


def test_the_child_can_start_no_program_open_no_file_of_ours_and_call_nobody_but_the_proxy(tmp_path: Path) -> None:
    secret, folder = tmp_path / "inner_key", tmp_path / "run"
    secret.write_text("an invented key")
    folder.mkdir()
    code = GUARDED.format(child=str(CHILD), folder=str(folder), secret=str(secret))

    finished = run(Command("python", ("-I", "-c", code)), timeout_s=30, limits=Limits())

    assert finished.stdout.split() == [b"True"] * 7 + [b"False"] * 2, finished.stderr
