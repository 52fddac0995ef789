"""Where an episode can be played from, right now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.titles import ExternalId

Delivery = Literal["hls", "dash", "progressive", "file"]
"""`file`: a file of the household; its address is `file-import:<path in the import folder, escaped>`."""


class SubtitleOffer(Reply):
    """One subtitle file at the source (WebVTT or SRT)."""

    url: Annotated[str, Field(max_length=4000)]
    language: str | None = None  # BCP 47
    name: str | None = None


class Skip(Reply):
    """A part of an episode that most people pass over."""

    kind: str  # `opening` or `ending`; a newer version may know more
    start_s: Annotated[float, Field(ge=0)]
    end_s: Annotated[float, Field(gt=0)]


class Offer(Reply):
    """One playable rendition, or one master playlist with several."""

    source: str
    url: Annotated[str, Field(max_length=4000)]
    delivery: Delivery
    height_px: int | None = None  # None: the manifest lists several, or the source does not say
    size_bytes: int | None = None
    duration_s: float | None = None
    expires_at: datetime | None = None  # UTC; the address is dead from then on. None: no end known
    headers: dict[str, str] = Field(default_factory=dict)  # what the media host wants to see, such as Referer
    subtitles: tuple[SubtitleOffer, ...] = ()
    skips: tuple[Skip, ...] = ()  # in the order of their starts


class OfferOutcome(Request):
    """What came of an offer, told by whoever tried to fetch it."""

    external_id: ExternalId
    translation_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    url: Annotated[str, Field(max_length=4000)]
    delivery: Delivery
    height_px: int | None = None
    played: bool


class OfferList(Reply):
    """Offers for one episode in one translation, the best first."""

    external_id: str
    season: int | None = None
    episode: int | None = None
    translation_id: str
    offers: tuple[Offer, ...] = ()
    age_s: int | None = None  # of addresses that were kept; None: the source was asked just now
