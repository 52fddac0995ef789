"""What an operator may set for the gateway, and what the house tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, field_validator

from kinodom_common.hosts import house_rule
from kinodom_common.settings import CommonSettings
from kinodom_gateway.scripts import parse_tokens


class Settings(CommonSettings):
    """For the only service that browsers talk to."""

    resolver_url: HttpUrl
    catalogue_url: HttpUrl
    downloader_url: HttpUrl
    sync_url: HttpUrl
    session_key: SecretStr  # signs the viewer cookie and the tokens against forged requests
    media_key: SecretStr  # signs links to media; Nginx knows it too
    member_key: SecretStr  # signs room tokens; sync knows it too
    api_tokens: SecretStr = SecretStr("")  # of scripts, separated by commas; none: scripts are not let in
    static_root: Path  # built front end with its manifest.json
    allowed_hosts: str = ""  # names besides private addresses, `.local` and single labels; separated by commas
    house_name: Annotated[str, Field(min_length=1, max_length=60)] = "Kinodom"
    link_life_s: Annotated[int, Field(ge=60, le=86_400)] = 6 * 3600  # of a signed link; players renew it by themselves
    search_wait_s: Annotated[float, Field(gt=0, le=30)] = 6.0  # for the slowest service behind a search

    @field_validator("allowed_hosts")
    @classmethod
    def _known(cls, value: str) -> str:
        house_rule(value)
        return value

    @field_validator("api_tokens")
    @classmethod
    def _not_guessable(cls, value: SecretStr) -> SecretStr:
        parse_tokens(value.get_secret_value())
        return value
