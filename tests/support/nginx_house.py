"""The real Nginx with the house's real configuration, in front of a stand-in for the gateway and the sync service."""

from __future__ import annotations

import base64
import getpass
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_house.nginx_files import NginxFacts, write_nginx_files
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
MEDIA_KEY, INNER_KEY = "a" * 64, "inner-key-of-a-test"


class EchoUpstream(ThreadingHTTPServer):
    """Answers any request with what it saw of it, and keeps a list of all it saw."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Echo)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EchoUpstream

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path))
        body = json.dumps({"path": self.path, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing: the test reads `seen`."""


class NginxHouse:
    """A running Nginx: where its files are and how to ask it."""

    def __init__(self, root: Path, port: int, upstream: EchoUpstream) -> None:
        self.library = root / "library"
        self.work = root / "work"
        self.covers = root / "covers"
        self.static = root / "static"
        self.log = root / "stdout.log"
        self.errors = root / "stderr.log"
        self.port = port
        self.upstream = upstream

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and body; `path` goes out exactly as it is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()


def signed(folder: str, *, expires_s: int, viewer: str, key: str = MEDIA_KEY) -> str:
    """Return the signed prefix of a folder's files, as the gateway makes it."""
    text = f"{expires_s} {folder} {viewer} {key}".encode()
    digest = hashlib.md5(text, usedforsecurity=False).digest()
    return f"/v/{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}/{expires_s}/{folder}/"


@contextmanager
def nginx_house(
    root: Path, *, gateway_url: str | None = None, sync_url: str | None = None, downloader_url: str | None = None
) -> Iterator[NginxHouse]:
    """Run Nginx over fresh folders below `root` for the length of the block."""
    upstream = EchoUpstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    house = NginxHouse(root, free_port(), upstream)
    for folder in (house.library, house.work, house.covers, house.static, root / "conf", root / "temp"):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(REPOSITORY / "nginx/conf.d", root / "conf/conf.d")
    shutil.copy(REPOSITORY / "nginx/nginx.conf", root / "conf/nginx.conf")
    facts = NginxFacts(
        media_key=MEDIA_KEY,
        gateway_url=gateway_url or upstream.url,
        sync_url=sync_url or upstream.url,
        downloader_url=downloader_url or upstream.url,
        inner_key=INNER_KEY,
        library_root=str(house.library),
        work_root=str(house.work),
        slices=f"127.0.0.1:{free_port()}",
        covers_root=str(house.covers),
        static_root=str(house.static),
        listen=(f"127.0.0.1:{house.port}",),
        hosts=("kino.example", "*.tail.example", "100.64.0.0/10"),
        user=getpass.getuser() if os.geteuid() == 0 else None,
        workers="1",
    )
    write_nginx_files(root / "conf/house", facts)
    with house.log.open("wb") as log, house.errors.open("wb") as errors:
        command = ["nginx", "-p", f"{root}/temp/", "-c", f"{root}/conf/nginx.conf", "-e", "stderr"]
        process = subprocess.Popen(command, stdout=log, stderr=errors)
    try:
        _wait_until_open(house, process)
        yield house
    finally:
        process.terminate()
        process.wait(10)
        upstream.shutdown()
        upstream.server_close()


def _wait_until_open(house: NginxHouse, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            house.ask("/healthz")
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"Nginx did not start: {house.errors.read_text()}")
