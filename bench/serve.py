"""Signed track files through the house's Nginx against bare `sendfile` of the same Nginx: `make bench-serve`.

Both servers have one worker and run in the same minute; their runs alternate, so that what else the machine does hits
both. Printed are medians of the pairs' ratios. Goal: 0.94 of bare at 2 MB, 0.9 at 96 kB, and no request to Python.
"""

from __future__ import annotations

import getpass
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.ids import folder_of
from tests.support.free_ports import free_port
from tests.support.nginx_house import nginx_house, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = {"2 MB": (2_000_000, 0.94), "96 kB": (96_000, 0.90)}
PAIRS = 7
SECONDS = 3
VIEWER = "viewer-of-the-benchmark"
VIDEO_ID = "ab" * 32

BARE = """
{user}worker_processes 1;
daemon off;
pid {temp}/bare.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000;
    client_body_temp_path {temp}/b; proxy_temp_path {temp}/p; fastcgi_temp_path {temp}/f;
    uwsgi_temp_path {temp}/u; scgi_temp_path {temp}/s;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@contextmanager
def bare_nginx(folder: Path, root: Path) -> Iterator[int]:
    """Run an Nginx that does nothing but send files; yield its port."""
    port = free_port()
    folder.mkdir()
    user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(BARE.format(user=user, temp=folder, port=port, root=root))
    with subprocess.Popen(["nginx", "-p", f"{folder}/", "-c", str(config), "-e", "stderr"]) as process:
        try:
            time.sleep(0.5)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def bytes_per_second(url: str, cookie: str = "") -> float:
    """Return what one run of wrk got, bytes a second; refuse a run with any answer that is not 2xx."""
    header = ["-H", f"Cookie: viewer={cookie}"] if cookie else []
    command = ["wrk", "-t2", "-c32", f"-d{SECONDS}s", *header, url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told:
        sys.exit(f"bench-serve: {url} did not answer 200:\n{told}")
    found = re.search(r"Transfer/sec:\s+([\d.]+)(GB|MB|KB)", told)
    if found is None:
        sys.exit(f"bench-serve: wrk said nothing of use:\n{told}")
    return float(found[1]) * {"GB": 2**30, "MB": 2**20, "KB": 2**10}[found[2]]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        with nginx_house(root / "house") as house, bare_nginx(root / "bare", house.library) as bare_port:
            folder = house.library / folder_of(VIDEO_ID)
            folder.mkdir(parents=True)
            prefix = signed(folder_of(VIDEO_ID), expires_s=int(time.time()) + 3600, viewer=VIEWER)
            print(f"one Nginx worker each, wrk -t2 -c32, {PAIRS} pairs of {SECONDS} s; MB/s are medians")
            print(f"{'size':>8} {'bare':>8} {'signed':>8} {'ratio':>7} {'goal':>6}")
            for label, (size, goal) in SIZES.items():
                (folder / "v.mp4").write_bytes(os.urandom(size))
                pairs = []
                for _ in range(PAIRS):
                    plain = bytes_per_second(f"http://127.0.0.1:{bare_port}/{folder_of(VIDEO_ID)}/v.mp4")
                    ours = bytes_per_second(f"http://127.0.0.1:{house.port}{prefix}v.mp4", VIEWER)
                    pairs.append((plain, ours))
                plain, ours = (statistics.median(pair[side] for pair in pairs) / 1e6 for side in (0, 1))
                ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
                print(f"{label:>8} {plain:8.0f} {ours:8.0f} {ratio:6.2f}x {goal:5.2f}x")
            print(f"requests that reached Python: {len(house.upstream.seen)}")


if __name__ == "__main__":
    main()
