"""What an operator may set for the catalogue and its worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, HttpUrl, SecretStr
from pydantic_settings import NoDecode

from kinodom_common.egress import parse_allow_lan
from kinodom_common.settings import CommonSettings
from kinodom_common.store import open_store


def _store_address(value: str) -> str:
    open_store(value)  # connects to nothing
    return value


def _lan_list(value: str) -> str:
    parse_allow_lan(value)
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("the path must be absolute")
    return value


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class Settings(CommonSettings):
    """Where the catalogue keeps things, and whom its worker may ask."""

    store: Annotated[str, AfterValidator(_store_address)]  # sqlite:////path.sqlite or mongodb://host:27017/catalogue
    redis_url: SecretStr
    covers_root: Annotated[Path, AfterValidator(_absolute)]  # Nginx serves it under /covers/
    omdb_key: SecretStr | None = None  # the operator's own; None: OMDb is not asked
    omdb_url: HttpUrl = HttpUrl("https://www.omdbapi.com/")
    shikimori_enabled: bool = True
    shikimori_url: HttpUrl = HttpUrl("https://shikimori.io")
    shikimori_mirrors: Annotated[tuple[HttpUrl, ...], NoDecode, BeforeValidator(_words)] = (
        HttpUrl("https://shiki.one"),
        HttpUrl("https://shikimori.one"),
    )  # asked when the one before does not answer; answers of any other host are thrown away
    allow_lan: Annotated[str, AfterValidator(_lan_list)] = ""  # host:port, comma between; may be called though at home
