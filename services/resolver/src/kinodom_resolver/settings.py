"""What an operator may set for the resolver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl
from pydantic_settings import NoDecode

from kinodom_common.egress import parse_allow_lan
from kinodom_common.settings import CommonSettings


def _words(value: object) -> object:
    return frozenset(value.replace(",", " ").split()) if isinstance(value, str) else value


def _lan_list(value: str) -> str:
    parse_allow_lan(value)
    return value


class Settings(CommonSettings):
    """Addresses of the sources, and how long they are waited for."""

    archive_url: HttpUrl = HttpUrl("https://archive.org")
    demo_url: HttpUrl | None = None  # None: the demo films are switched off
    sites_root: Path | None = None  # folder of descriptions of sites (YAML); None: there are none
    ytdlp_extractors: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:*+, -]{1,2000}$")] = "default"  # `off`: none
    ytdlp_cookies: Path | None = None  # cookies.txt of the operator; None: no cookies
    sources_off: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = frozenset()
    allow_lan: Annotated[str, AfterValidator(_lan_list)] = ""  # host:port, comma between; may be called though at home
    contact: Annotated[str, Field(max_length=200)] = ""  # mail or page of the operator, told to the sites asked
    search_deadline_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    open_deadline_s: Annotated[float, Field(gt=0, le=60)] = 8.0  # for one title or its offers
