"""The commands: python -m kinodom_house {run,demo,status,secrets}."""

from __future__ import annotations

import argparse
import os
import sys

from kinodom_house.compose import prepare_compose
from kinodom_house.demo import run_demo
from kinodom_house.house import house_status, run_house
from kinodom_house.refusals import HouseRefusedError
from kinodom_house.settings import read_house_settings, repository_root


def main() -> int:
    """Do what the command line asks; return the exit code."""
    parser = argparse.ArgumentParser(prog="kinodom", description="Starts, stops and prepares the house.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the house until Ctrl-C")
    commands.add_parser("demo", help="make three short films in the running house, or in one started for it")
    commands.add_parser("status", help="say how the parts of the running house are")
    secrets = commands.add_parser("secrets", help="make the secrets that are missing")
    secrets.add_argument("--for", dest="target", choices=["compose"], required=True)
    asked = parser.parse_args()
    try:
        return _do(asked.command)
    except HouseRefusedError as exc:
        say(f"kinodom: {exc}")
        return exc.exit_code


def say(text: str) -> None:
    """Tell the operator a line."""
    print(text, file=sys.stderr, flush=True)


def _do(command: str) -> int:
    environ = dict(os.environ)  # noqa: TID251 - this is where the house reads its settings, once
    if command == "secrets":
        prepare_compose(environ)
        return 0
    settings = read_house_settings(environ, repository_root())
    if command == "status":
        words = house_status(settings)
        for name, word in words.items():
            print(f"{name:>12}  {word}")
        if not words:
            say(f"Kinodom does not run in {settings.data}.")
        return 0 if words and set(words.values()) == {"ready"} else 1
    if command == "demo":
        return run_demo(settings, say=say)
    run_house(settings, say=say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
