"""What an operator may set for the resolver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, StringConstraints, TypeAdapter
from pydantic_settings import NoDecode

from kinodom_common.egress import parse_allow_lan
from kinodom_common.settings import CommonSettings, WholePath

MOST_PLACES: Final = 20  # each is asked in a thread of its own
LONGEST_ADDRESS: Final = 500
_ADDRESS: Final = TypeAdapter(HttpUrl)

Minutes = Annotated[float, Field(ge=0, le=60 * 24 * 365)]
Days = Annotated[float, Field(ge=0, le=3650)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$", to_lower=True)]


def _words(value: object) -> object:
    return frozenset(value.replace(",", " ").split()) if isinstance(value, str) else value


def _address_list(value: str) -> str:
    """Return addresses with single spaces between; a bare name is taken as https."""
    named = (one if "://" in one else f"https://{one}" for one in value.replace(",", " ").split())
    addresses = [str(_ADDRESS.validate_python(one)) for one in named]
    if len(addresses) > MOST_PLACES or any(len(one) > LONGEST_ADDRESS for one in addresses):
        raise ValueError(f"at most {MOST_PLACES} addresses of {LONGEST_ADDRESS} characters")
    return " ".join(addresses)


def _in_order(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _lan_list(value: str) -> str:
    parse_allow_lan(value)
    return value


class Settings(CommonSettings):
    """Addresses of the sources, how long they are waited for, and how long their answers are kept."""

    redis_url: SecretStr | None = None  # redis://user:password@host:port/3; None: nothing is kept
    source_key: SecretStr | None = None  # cookies are locked with it; None: none can be kept
    archive_url: HttpUrl = HttpUrl("https://archive.org")
    commons_url: HttpUrl = HttpUrl("https://commons.wikimedia.org")
    demo_url: HttpUrl | None = None  # None: the demo films are switched off
    import_root: WholePath | None = None  # films the household has; None: off
    feeds: Annotated[str, AfterValidator(_address_list)] = ""  # addresses of feeds to search, comma between
    peertube_instances: Annotated[str, AfterValidator(_address_list)] = ""  # names or addresses, comma between
    sepia_url: HttpUrl | Literal["off"] = HttpUrl("https://sepiasearch.org")  # the index over all PeerTube instances
    sites_root: Path | None = None  # folder of descriptions of sites (YAML); None: there are none
    ytdlp_extractors: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:*+, -]{1,2000}$")] = "default"  # `off`: none
    ytdlp_cookies: Path | None = None  # cookies.txt of the operator; None: no cookies
    kodik_token: Annotated[SecretStr, Field(min_length=8)] | None = None  # the operator's own; None: Kodik is off
    kodik_api_url: HttpUrl = HttpUrl("https://kodik-api.com")
    kodik_player_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_in_order)] = ("kodikplayer.com",)
    shikimori_enabled: bool = True  # asked for titles when the Kodik token may not search
    shikimori_url: HttpUrl = HttpUrl("https://shikimori.io")
    shikimori_mirrors: Annotated[tuple[HttpUrl, ...], NoDecode, BeforeValidator(_in_order)] = (
        HttpUrl("https://shiki.one"),
        HttpUrl("https://shikimori.one"),
    )  # asked when the one before does not answer
    sources_off: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = frozenset()
    allow_lan: Annotated[str, AfterValidator(_lan_list)] = ""  # host:port, comma between; may be called though at home
    contact: Annotated[str, Field(max_length=200)] = ""  # mail or page of the operator, told to the sites asked
    search_deadline_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    open_deadline_s: Annotated[float, Field(gt=0, le=60)] = 8.0  # for one title or its offers
    save_data: bool = True  # False: no new answer is kept
    use_saved_data: bool = True  # False: kept answers are not used
    cache_life_time: Days = 3.0  # a stale answer is shown so long, while it is asked for again
    saving_period: Minutes = 5.0  # an answer younger than this is not asked for again, whatever its kind
    search_life_min: Minutes = 30.0  # answers of each kind are fresh so long
    title_life_min: Minutes = 360.0
    offers_life_min: Minutes = 10.0  # and never longer than the links in them live
    cache_count: Annotated[int, Field(ge=1, le=1_000_000)] = 5000  # answers of one kind
    cache_mb: Annotated[float, Field(gt=0, le=10_000)] = 16.0  # of one kind
    saved_data_file: Path | None = None  # answers saved elsewhere, put on the empty shelf at the start
