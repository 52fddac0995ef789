"""What the operator may set for a house on one machine: from the environment, or a `.env` file as Compose reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_house.nginx_files import host_patterns
from kinodom_house.refusals import BadSettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 8080
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - the household's other screens are the point
ORDINARY_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_YES = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSettings:
    """Settings of the house itself; `operator` holds all KINODOM_* values, for those that a service is given."""

    repository: Path
    data: Path  # absolute
    port: int = DEFAULT_PORT
    bind: str = EVERY_ADDRESS
    verbose: bool = False
    hosts: tuple[str, ...] = ()
    path: str = ORDINARY_PATH
    python_path: str = ""
    timezone: str = ""
    operator: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_address(self) -> str:
        """The address at which this machine itself reaches the house."""
        return "127.0.0.1" if self.bind == EVERY_ADDRESS else self.bind


def repository_root() -> Path:
    """Return the folder that holds the Makefile; the packages are installed from it in place."""
    return Path(__file__).resolve().parents[3]


def read_house_settings(environ: Mapping[str, str], repository: Path) -> HouseSettings:
    """Return the settings of the environment; what it does not hold comes from `.env` in the repository.

    Raises:
        BadSettingError: a value makes no sense.
    """
    file = repository / ".env"
    written = parse_env_file(file.read_text(encoding="utf-8")) if file.is_file() else {}
    both = {**written, **environ}
    operator = {name: value for name, value in both.items() if name.startswith("KINODOM_") and value}
    data = Path(operator.get("KINODOM_DATA", "data")).expanduser()
    return HouseSettings(
        repository=repository,
        data=(repository / data).resolve(),
        port=_port(operator.get("KINODOM_PORT", str(DEFAULT_PORT))),
        bind=operator.get("KINODOM_BIND", EVERY_ADDRESS),
        verbose=operator.get("KINODOM_VERBOSE", "").lower() in _YES,
        hosts=host_patterns(operator.get("KINODOM_ALLOWED_HOSTS", "")),
        # nginx lies in a folder that is not on an ordinary user's path.
        path=f"{environ['PATH']}:/usr/sbin:/sbin" if environ.get("PATH") else ORDINARY_PATH,
        python_path=environ.get("PYTHONPATH", ""),
        timezone=environ.get("TZ", ""),
        operator=operator,
    )


def parse_env_file(text: str) -> dict[str, str]:
    """Return the KEY=VALUE lines of a file; quotes around a value are taken off, anything else is left alone."""
    values = {}
    for line in text.splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if not sign or name.lstrip().startswith("#"):
            continue
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        elif " #" in value:
            value = value.partition(" #")[0].rstrip()
        values[name.strip()] = value
    return values


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise BadSettingError(f"KINODOM_PORT is {text!r}, which is not a port: give a number from 1 to 65535.")
    return int(text)
