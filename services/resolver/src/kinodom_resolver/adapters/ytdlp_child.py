"""Runs yt-dlp once, in a process of its own: `python -I ytdlp_child.py JOB`. Knows nothing of the house.

The job is a JSON file: `address`, `extractors`, `proxy`, `folder`, `cookies`, `authorities`. The answer is one JSON
value on standard output: `{"facts": …}` or `{"problem": "unsupported" | "failed", "words": …}`. It extracts and never
downloads. Beside the proxy it may call nobody, it may start no program and open no file of the house; an audit hook
holds that, which is a rail and no prison: the prison is the process, its limits and the network it stands in.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

PROGRAMS = frozenset(
    {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "os.forkpty"}
)
PLAYLIST_ENTRIES = 200


class Quiet:
    """A log that keeps nothing: what goes wrong comes as an exception."""

    def debug(self, _words: str) -> None:
        """Keep nothing."""

    warning = error = info = debug


def guard(port: int, folder: str) -> None:
    """From now on refuse programs, any place but the proxy, and files but those of Python, the system and the run."""
    readable = tuple(f"{one.rstrip('/')}/" for one in (folder, sys.prefix, sys.base_prefix, "/usr", "/etc", "/dev"))

    def may_open(path: object, flags: int) -> bool:
        if not isinstance(path, str | bytes):
            return True  # a file that is open already
        whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - in a hook nothing may look at the disk
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return whole.startswith((readable[0], "/dev/"))
        return whole.startswith(readable)

    def hook(event: str, told: tuple[Any, ...]) -> None:
        if event in PROGRAMS:
            raise PermissionError("no program is started here")
        if event == "open" and not may_open(told[0], told[2]):
            raise PermissionError("that file is not opened here")
        if event == "socket.connect" and told[1] != ("127.0.0.1", port):
            raise PermissionError("only the proxy is called here")
        if event == "socket.getaddrinfo" and told[0] not in ("127.0.0.1", b"127.0.0.1"):
            raise PermissionError("names are looked up by the proxy")

    sys.addaudithook(hook)


def options_of(job: dict[str, Any]) -> dict[str, Any]:
    """Return what yt-dlp is told. What is not named here stands at its default of doing nothing."""
    return {
        "allowed_extractors": job["extractors"],
        "proxy": job["proxy"],
        "cookiefile": job["cookies"],
        "quiet": True,
        "no_warnings": True,
        "logger": Quiet(),
        "color": "never",
        "simulate": True,
        "skip_download": True,
        "cachedir": False,
        "usenetrc": False,
        "netrc_cmd": None,
        "enable_file_urls": False,
        "geo_bypass": False,
        "js_runtimes": {},
        "remote_components": set(),
        "postprocessors": [],
        "external_downloader": None,
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlist_items": f"1:{PLAYLIST_ENTRIES}",
        "ignore_no_formats_error": True,
        "check_formats": False,
        "socket_timeout": 8,
        "retries": 1,
        "extractor_retries": 1,
        "writesubtitles": True,  # asked for, so that extractors look; nothing is written
    }


def extract(job: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a job."""
    import certifi

    if job["authorities"]:
        certifi.where = lambda: job["authorities"]
    from yt_dlp import YoutubeDL
    from yt_dlp.globals import plugin_dirs
    from yt_dlp.utils import DownloadError, UnsupportedError, YoutubeDLError

    plugin_dirs.value = []
    guard(urlsplit(job["proxy"]).port or 0, job["folder"])
    try:
        with YoutubeDL(options_of(job)) as ytdlp:
            if not any(one.suitable(job["address"]) for one in ytdlp._ies.values()):
                return {"problem": "unsupported", "words": ""}
            facts = ytdlp.extract_info(job["address"], download=False)
            return {"facts": ytdlp.sanitize_info(facts, remove_private_keys=True)}
    except UnsupportedError:
        return {"problem": "unsupported", "words": ""}
    except DownloadError as exc:
        cause = exc.exc_info[1] if exc.exc_info else exc
        kind = "unsupported" if isinstance(cause, UnsupportedError) else "failed"
        return {"problem": kind, "words": str(getattr(cause, "orig_msg", None) or cause)}
    except (YoutubeDLError, OSError) as exc:
        return {"problem": "failed", "words": str(exc)}


def main() -> None:
    """Do the one job."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - nothing is imported that is not needed
        job = json.load(file)
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is not our answer
    answer = extract(job)
    json.dump(answer, out)


if __name__ == "__main__":
    main()
