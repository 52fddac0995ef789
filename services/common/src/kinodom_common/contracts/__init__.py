"""Wire shapes between the services and to the browser. Frozen; requests are strict, replies lenient.

Units are in the names. Instants are aware UTC, written as ISO 8601. A missing value is `None` and its meaning stands
beside the field.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A body somebody sends to us: unknown fields and wrong types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Reply(BaseModel):
    """A body a service of ours sends: unknown fields of a newer version are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
