"""Settings: read once from the environment, frozen, with every mistake listed at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "KINODOM_"
Settings = TypeVar("Settings", bound="CommonSettings")


class CommonSettings(BaseSettings):
    """What every service of the house is told."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    inner_key: SecretStr  # services show it to each other; made at the first start


def read_settings(cls: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment holds.

    `KINODOM_X_FILE` names a file whose stripped content is the value of X: a secret then stands neither in the
    environment nor on a command line.

    Raises:
        SystemExit: something is missing or wrong; the message lists every mistake, with no value of a secret.
    """
    mistakes: list[str] = []
    values: dict[str, object] = {}
    for name in cls.model_fields:
        key = f"{PREFIX}{name.upper()}"
        try:
            found = _value(key, environ)
        except OSError as exc:
            mistakes.append(f"{key}_FILE: cannot be read ({exc.strerror})")
            continue
        if found is not None:
            values[name] = found
    try:
        made = cls.model_validate(values) if not mistakes else None
    except ValidationError as exc:
        mistakes += [_sentence(error) for error in exc.errors(include_input=False, include_url=False)]
        made = None
    if made is None:
        listing = "\n".join(f"  - {mistake}" for mistake in mistakes)
        raise SystemExit(f"Kinodom cannot start with these settings:\n{listing}\nSee docs/operations.md.")
    return made


def _value(key: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(f"{key}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    value = environ.get(key)
    return value if value else None  # empty counts as not set, as Compose passes unset variables


def _sentence(error: Mapping[str, object]) -> str:
    location = error.get("loc")
    path = [str(part) for part in location] if isinstance(location, tuple) else []
    name = f"{PREFIX}{path[0].upper()}" if path else "settings"
    return f"{name}: {error.get('msg')}"
