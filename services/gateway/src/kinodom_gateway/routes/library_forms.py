"""What scripts send about titles and downloads, and what they are told of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.titles import Kind
from kinodom_common.contracts.videos import RemovedVideo, TitleOrder
from kinodom_gateway.domain.shelving import Act
from kinodom_gateway.domain.wishing import Choice
from kinodom_gateway.routes.forms import PageQuery, Ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_gateway.domain.shelving import Done

Address = Annotated[str, Field(min_length=1, max_length=2200)]
MOST_AT_ONCE = 50  # titles in one batch: each asks a source
DOWNLOAD_PROBLEMS = (
    *("download_there", "no_such_title", "no_such_translation", "bad_range", "season_needed"),
    *("too_many_at_once", "not_an_address", "upstream_failed"),
)


class TitlesQuery(PageQuery):
    """Which titles of the house, in which order."""

    q: Annotated[str, Field(max_length=300)] | None = None
    sort: TitleOrder | None = None  # None: the best match first, without `q` the newest
    on_disk: bool | None = None
    kind: Kind | None = None


class TitleForm(Request):
    """A title for the shelf."""

    address: Address  # its id at a source, or the address of its page
    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")] | None = None  # None: any


class BatchForm(Request):
    """Many titles at once."""

    add: Annotated[tuple[Address, ...], Field(strict=False)] = ()
    refresh: Annotated[tuple[Address, ...], Field(strict=False)] = ()  # ids of titles of the house
    delete: Annotated[tuple[Address, ...], Field(strict=False)] = ()  # the same

    @model_validator(mode="after")
    def _few(self) -> BatchForm:
        if len(self.acts()) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} at once")
        return self

    def acts(self) -> list[tuple[Act, str]]:
        """Return what is to be done, each item with its verb."""
        verbs: tuple[tuple[Act, tuple[str, ...]], ...] = (
            ("add", self.add), ("refresh", self.refresh), ("delete", self.delete),
        )  # fmt: skip
        return [(act, item) for act, items in verbs for item in items]


class TitleRemoved(Reply):
    """A title that left the shelf, and the films that left the disk with it."""

    title_id: str
    videos: tuple[RemovedVideo, ...]


class BatchResult(Reply):
    """What came of one item."""

    act: Act
    item: str
    outcome: Literal["done", "refused"]
    title_id: str | None
    code: str | None
    detail: str | None


class BatchReply(Reply):
    """What came of each item, in their order."""

    results: tuple[BatchResult, ...]

    @classmethod
    def of(cls, done: Sequence[Done]) -> BatchReply:
        """Return it as it is told."""
        return cls(
            results=tuple(
                BatchResult(
                    act=one.act,
                    item=one.item,
                    outcome="refused" if one.error else "done",
                    title_id=one.title_id,
                    code=one.error.code if one.error else None,
                    detail=one.error.detail if one.error else None,
                )
                for one in done
            )
        )


class DownloadForm(Request):
    """A download."""

    address: Address  # id at a source, page address, or title id of the house
    translation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None  # None: the first
    episodes: Ranges | None = None  # such as `3-12`; None: all, or all of the season
    season: Annotated[int, Field(ge=0, le=9999)] | None = None
    height_px: Annotated[int, Field(ge=1, le=8640)] | None = None  # None: the best

    def choice(self) -> Choice:
        """Return the form as the rules know it."""
        return Choice(
            external_id=self.address.strip(),
            translation_id=self.translation_id,
            ranges=self.episodes,
            season=self.season,
            height_px=self.height_px,
        )
