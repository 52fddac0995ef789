"""What pages and scripts send to the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.offers import Skip
from kinodom_common.contracts.titles import ExternalId, SearchReply
from kinodom_common.contracts.videos import Hole, TitleList, VideoId
from kinodom_common.contracts.wishes import Wish, WishPart
from kinodom_common.openapi import form_of
from kinodom_gateway.domain.choosing import RANGES
from kinodom_gateway.domain.watching import First
from kinodom_gateway.domain.wishing import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import MultiDict

    from kinodom_gateway.domain.wishing import Asked

Ranges = Annotated[str, StringConstraints(pattern=RANGES, max_length=500)]
Place = Annotated[str, StringConstraints(pattern=r"^\d{0,4}\.\d{0,5}$")]  # a season may be a year


class WishForm(Request):
    """Download: which dub, which height, which episodes."""

    external_id: ExternalId
    translation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    height_px: Annotated[int, Field(ge=1, le=8640)] | None = None  # None: the best
    # `season.episode`, or numbers as `3-12` or `1-3,7`; empty: all, or all of the season
    episodes: Annotated[tuple[Place, ...], Field(max_length=500, strict=False)] | Ranges = ()
    season: Annotated[int, Field(ge=0, le=9999)] | None = None  # whose numbers they are

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> WishForm:
        """Return the form as a page sent it: text throughout, and an empty height for the best."""
        named = ("external_id", "translation_id", "height_px", "season")
        plain = {name: fields[name] for name in named if fields.get(name)}
        episodes = fields.get("numbers") or (() if fields.get("season") else fields.getlist("episodes"))
        return form_of(cls, {**plain, "episodes": episodes})

    def choice(self) -> Choice:
        """Return the form as the rules know it."""
        return Choice(
            external_id=self.external_id,
            translation_id=self.translation_id,
            episodes=() if isinstance(self.episodes, str) else tuple(_place(one) for one in self.episodes),
            ranges=self.episodes if isinstance(self.episodes, str) else None,
            season=self.season,
            height_px=self.height_px,
        )


class FirstForm(Request):
    """Watch: a title, and as much as the person chose of it."""

    external_id: ExternalId
    translation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    height_px: Annotated[int, Field(ge=1, le=8640)] | None = None
    episode: Place | None = None  # `season.episode`

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> FirstForm:
        """Return the form as a page sent it: text throughout, empty for what is left open."""
        return form_of(cls, {name: fields[name] for name in cls.model_fields if fields.get(name)})

    def first(self) -> First:
        """Return the form as the rules know it."""
        return First(
            external_id=self.external_id,
            translation_id=self.translation_id,
            place=_place(self.episode) if self.episode else None,
            height_px=self.height_px,
        )


class NeighbourForm(Request):
    """The episode before or after a film."""

    video_id: VideoId
    step: Literal[-1, 1]


class ActForm(Request):
    """What is done with all downloads at once."""

    act: Literal["retry", "pause", "resume"]


class AddressForm(Request):
    """The id of a title, or the address of its page."""

    address: Annotated[str, Field(min_length=1, max_length=2200)]


class LinkForm(Request):
    """A fresh signed link for a video."""

    video_id: VideoId


class RoomForm(Request):
    """A room around a video, from where its maker is."""

    video_id: VideoId
    pos_ms: Annotated[float, Field(ge=0, le=1e9, strict=False, allow_inf_nan=False)] = 0.0


class LanguageForm(Request):
    """The language that a person chose, and the page to go back to."""

    language: Literal["ru", "en"]
    # an address of this house: a second slash would lead away
    back: Annotated[str, StringConstraints(pattern=r"^/([!-.0-\[\]-~][!-~]*)?$", max_length=20_000)] = "/"


class SearchQuery(Request):
    """A name or an address."""

    q: Annotated[str, Field(max_length=2000)] = ""


class SearchPageQuery(SearchQuery):
    """The same, as the page is asked for."""

    whole: bool = False  # the page comes when all sources have answered, whatever the browser can do


class PageQuery(Request):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 60
    after: Annotated[str, Field(max_length=200)] | None = None


class WishQuery(Request):
    """Which wishes."""

    ids: Annotated[str, Field(max_length=40_000)] = ""  # separated by commas; empty: a part of all
    part: WishPart = "newest"
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class FoundReply(Reply):
    """What the house and the sources have. A part that could not be asked is `None` and stands in `silent`."""

    query: str
    home: TitleList | None = None
    away: SearchReply | None = None
    silent: dict[str, str] = Field(default_factory=dict)  # part → reason in words


class LinkReply(Reply):
    """A signed link to a folder of media."""

    video_id: str
    manifest_url: str
    live_url: str | None  # the folder of a film that is still coming; None: it is on the disk
    poster_url: str
    sprites: bool  # `sprites.vtt` lies beside the manifest
    skips: tuple[Skip, ...]
    holes: tuple[Hole, ...]  # parts that no source had
    expires_at: int  # seconds since 1970


class WishResult(Reply):
    """What came of asking for one episode."""

    season: int | None
    episode: int | None
    outcome: Literal["made", "there", "refused"]  # `there`: it was asked for before
    wish_id: str | None
    code: str | None  # of the problem, when refused
    detail: str | None

    @classmethod
    def of(cls, asked: Asked) -> WishResult:
        """Return it as it is told."""
        return cls(
            season=asked.place[0],
            episode=asked.place[1],
            outcome=asked.outcome,
            wish_id=asked.wish.wish_id if asked.wish else None,
            code=asked.error.code if asked.error else None,
            detail=asked.error.detail if asked.error else None,
        )


class WishesReply(Reply):
    """Wishes that a request made or found, and what came of each episode."""

    wishes: tuple[Wish, ...]
    created: int
    results: tuple[WishResult, ...]

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> WishesReply:
        """Return it as it is told."""
        return cls(
            wishes=tuple(one.wish for one in asked if one.wish),
            created=sum(one.outcome == "made" for one in asked),
            results=tuple(WishResult.of(one) for one in asked),
        )


class DemoReply(Reply):
    """The wishes for the demo films."""

    wishes: tuple[str, ...]


class MeReply(Reply):
    """Who the browser is to the house."""

    viewer_id: str
    name: str
    member_token: str  # for the socket


def _place(text: str) -> tuple[int | None, int | None]:
    season, _dot, episode = text.partition(".")
    return (int(season) if season else None, int(episode) if episode else None)
