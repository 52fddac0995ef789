"""What an operator sets for a source, and how a source does when it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr, StringConstraints, field_serializer, model_serializer

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.titles import SourceOutcome, TitleHit

if TYPE_CHECKING:
    from pydantic import SerializerFunctionWrapHandler

ProxyAddress = Annotated[
    str, StringConstraints(pattern=r"^http://([^\s/@?#]{1,300}@)?[A-Za-z0-9._-]{1,253}:\d{1,5}$", max_length=600)
]


class SourceChange(Request):
    """What is to be changed: a field that is left out stays as it is, null is the source's own again."""

    weight: Annotated[int, Field(ge=0, le=1000)] | None = None  # the heavier, the earlier; 0: off
    enabled: bool | None = None
    pacing_s: Annotated[float, Field(ge=0, le=60)] | None = None  # least time between two requests to one host
    time_limit_s: Annotated[float, Field(gt=0, le=60)] | None = None  # it is waited for no longer
    browser_tls: bool = False  # its requests look like a browser's, down to TLS
    proxy: ProxyAddress | None = None  # `http://user:password@host:port`, which must know CONNECT

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if name in self.model_fields_set}


class CookieIn(Request):
    """Cookies for a source: `a=1; b=2`, a Netscape cookie file, or a browser's export in JSON."""

    text: Annotated[SecretStr, Field(min_length=1, max_length=200_000)]
    domain: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")] | None = None  # for `a=1; b=2`

    @field_serializer("text")
    def _told(self, text: SecretStr) -> str:
        return text.get_secret_value()


class CookieNames(Reply):
    """Which cookies a source has. Their values are shown to nobody."""

    source: str
    names: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


class TrialIn(Request):
    """What a source is asked on trial."""

    query: Annotated[str, Field(min_length=1, max_length=2000)]


class SourceTrial(Reply):
    """What came of asking one source just now."""

    outcome: SourceOutcome
    hits: tuple[TitleHit, ...] = ()  # the first few
