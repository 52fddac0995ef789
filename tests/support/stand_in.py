"""A stand-in for a process of the house: notes what happens to it, and misbehaves when asked to.

    python -m tests.support.stand_in NAME EVENTS [--port N] [--stubborn] [--dies] [--child]

EVENTS is a file; each event is one line appended to it: `NAME started PID`, `NAME ready`, `NAME stopped`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


def main() -> None:
    """Play the part until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("events")
    parser.add_argument("--port", type=int)
    parser.add_argument("--stubborn", action="store_true", help="take no notice of SIGTERM")
    parser.add_argument("--dies", action="store_true", help="end at once with exit code 7")
    parser.add_argument("--child", action="store_true", help="have a child that takes no notice of SIGTERM")
    asked = parser.parse_args()

    def note(event: str) -> None:
        number = os.open(asked.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(number, f"{asked.name} {event}\n".encode())
        os.close(number)

    def stop(*_: object) -> None:
        note("stopped")
        os._exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if asked.stubborn else stop)
    note(f"started {os.getpid()}")
    print(f"[ERROR] {asked.name} says hello", flush=True)
    if asked.dies:
        sys.exit(7)
    if asked.child:
        asleep = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", asleep])
        note(f"child {child.pid}")
    if asked.port:
        serve(asked.port, note)
    while True:
        time.sleep(60)


def serve(port: int, note: object) -> None:
    """Answer every request with 200 and note the first one."""
    asked = []

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not asked:
                asked.append(1)
                note("ready")  # type: ignore[operator]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    HTTPServer(("127.0.0.1", port), Ready).serve_forever()


if __name__ == "__main__":
    main()
