"""Settings: read once from the environment, frozen, with every mistake listed at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import PydanticBaseSettingsSource

PREFIX = "KINODOM_"
Settings = TypeVar("Settings", bound="CommonSettings")


def _whole(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("give the whole path, from / on")
    return value


WholePath = Annotated[Path, AfterValidator(_whole)]  # of a folder that is not the house's own


class CommonSettings(BaseSettings):
    """What every service of the house is told."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    inner_key: SecretStr  # services show it to each other; made at the first start

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the parent's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the parent's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the parent's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the parent's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the one source, what the caller gives: the process's environment would bring empty values back."""
        return (init_settings,)


def read_settings(cls: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment holds.

    `KINODOM_X_FILE` names a file whose stripped content is the value of X: a secret then stands neither in the
    environment nor on a command line.

    Raises:
        SystemExit: something is missing or wrong; the message lists every mistake, with no value of a secret.
    """
    mistakes: dict[str, str] = {}
    values: dict[str, object] = {}
    for name in cls.model_fields:
        try:
            found = _value(f"{PREFIX}{name.upper()}", environ)
        except (OSError, ValueError) as exc:
            mistakes[name] = f"{PREFIX}{name.upper()}_FILE: {_why(exc)}"
            continue
        if found is not None:
            values[name] = found
    try:
        made = cls.model_validate(values)
    except ValidationError as exc:
        for error in exc.errors(include_input=False, include_url=False):
            mistakes.setdefault(*_named(error))
    if mistakes:
        listing = "\n".join(f"  - {mistake}" for mistake in mistakes.values())
        raise SystemExit(f"Kinodom cannot start with these settings:\n{listing}\nSee docs/operations.md.")
    return made


def _value(key: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(f"{key}_FILE")
    if path:
        content = Path(path).read_text(encoding="utf-8").strip()
        if not content:
            raise ValueError("the file is empty")
        return content
    value = environ.get(key)
    return value if value else None  # empty counts as not set, as Compose passes unset variables


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return "cannot be read (not UTF-8 text)" if isinstance(error, UnicodeDecodeError) else str(error)


def _named(error: Mapping[str, object]) -> tuple[str, str]:
    """Return the name of the setting and a sentence about it."""
    location = error.get("loc")
    name = str(location[0]) if isinstance(location, tuple) and location else "settings"
    return name, f"{PREFIX}{name.upper()}: {error.get('msg')}"
