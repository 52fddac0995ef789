"""What an operator may set for the downloader, and what the house tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, SecretStr

from kinodom_common.media_tools import Encoder
from kinodom_common.settings import CommonSettings, WholePath
from kinodom_downloader.domain.hours import Hours
from kinodom_downloader.domain.ladder import Ladder


def _hours(text: str) -> str:
    if text:
        Hours.of(text)
    return text


def _ladder(text: str) -> str:
    Ladder.of(text)
    return text


class CheckSettings(CommonSettings):
    """For the check of the house: the disk and the catalogue."""

    media_root: Path  # holds library/ work/ trash/ in one file system
    catalogue_url: HttpUrl


class WebSettings(CheckSettings):
    """For the web service: it stores wishes and hints at them, and takes films away."""

    store: str  # `sqlite:///path` or `mongodb://host/downloader`
    redis_url: SecretStr
    trash_days: Annotated[float, Field(ge=0, le=3650)] = 7.0  # a deleted film can be brought back so long; 0: never
    parallel_wishes: Annotated[int, Field(ge=1, le=16)] = 2  # by all workers together
    keep_free_gb: Annotated[float, Field(ge=0, le=1_000_000)] = 5.0  # no download takes these
    keep_free_percent: Annotated[float, Field(ge=0, le=90)] = 2.0  # nor these; the larger counts


class WorkerSettings(WebSettings):
    """For the workers: they also ask, fetch and publish."""

    resolver_url: HttpUrl
    allow_lan: str = ""  # `host:port, host:port`: names on the LAN that may be fetched from
    import_root: WholePath | None = None  # films the household has, read only; None: none are imported
    watched_gb: Annotated[float, Field(ge=0, le=1_000_000)] = 50.0  # films that were only watched may take these
    watched_days: Annotated[float, Field(ge=0, le=3650)] = 14.0  # and stay so long after they were last watched
    encoder: Encoder = "libx264"  # of pictures that are converted; a chip's when this machine has one
    transcode_hevc: bool = False  # also an H.264 rendition of what only some browsers play, made later
    ladder: Annotated[str, AfterValidator(_ladder)] = ""  # `720,480`: lower renditions, made later; empty: none
    segment_workers: Annotated[int, Field(ge=1, le=32)] = 12  # parallel segments of one film
    host_connections: Annotated[int, Field(ge=1, le=64)] | None = None  # to one host, of all films; None: no limit
    speed_limit_mbit: Annotated[float, Field(gt=0, le=100_000)] | None = None  # of all films together; None: no limit
    hours: Annotated[str, AfterValidator(_hours)] = ""  # `01:00-07:00`: downloads run then only; empty: always
    user_agent: str = "Kinodom/0.1 (self-hosted)"
