"""What an operator may set for the sync service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from kinodom_common.hosts import house_rule
from kinodom_common.settings import CommonSettings


class Settings(CommonSettings):
    """Settings of the sync service."""

    redis_url: SecretStr  # redis://user:password@host:port/0
    member_key: SecretStr  # signs who a browser is; the gateway has the same
    allowed_hosts: str = ""  # names besides those of a home network; separated by commas
    room_remove_time_min: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 5.0  # an empty room stays this long

    @field_validator("allowed_hosts")
    @classmethod
    def _known(cls, value: str) -> str:
        house_rule(value)
        return value
