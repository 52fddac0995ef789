"""What the rules need of the world, and what they keep about a title beside what they tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from kinodom_common.contracts.titles import Kind
from kinodom_common.contracts.videos import Title, TitleOrder, Video
from kinodom_common.errors import Conflict, NotFound, UpstreamFailed


class NoSuchTitle(NotFound):
    """The catalogue has no such title."""

    code = "no_such_title"


class NoSuchVideo(NotFound):
    """The catalogue has no such video."""

    code = "no_such_video"


class TitleHasVideos(Conflict):
    """The title still holds videos, so it cannot go."""

    code = "title_has_videos"
    title = "It has films on the disk"


class ProviderPaused(UpstreamFailed):
    """A provider of facts wants to be left alone until an instant; asking again sooner is no use."""

    code = "provider_paused"

    def __init__(self, detail: str, until: datetime) -> None:
        super().__init__(detail, until=until.isoformat())
        self.until = until  # UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTitle:
    """A title, and the bookkeeping that is nobody else's business."""

    title: Title
    poster_url: str | None = None  # at the source; None: the source names none
    other_names: tuple[str, ...] = ()  # further names people may search for
    asked: tuple[str, ...] = ()  # providers that answered, whatever they said
    tries: int = 0  # of the enrichment, that failed
    next_try_at: datetime | None = None  # UTC; None: nothing is to be tried
    kept: bool = False  # somebody put it on the shelf: it stays there without a video


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A title as a provider is asked for it."""

    names: tuple[str, ...]  # the best known first
    year: int | None
    kind: Kind
    imdb_id: str | None
    shikimori_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """What a provider knows of a title. None or empty: it does not say."""

    provider: str  # for people, such as `OMDb`
    name: str
    original_name: str | None = None
    other_names: tuple[str, ...] = ()
    year: int | None = None
    kind: Kind = "unknown"
    description: str | None = None  # plain text
    genres: tuple[str, ...] = ()
    score: float | None = None  # 0 to 10
    score_by: str | None = None
    imdb_id: str | None = None
    shikimori_id: int | None = None
    poster_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which titles of the shelf are asked for, and in which order."""

    order: TitleOrder | None = None  # None: the best match first, the newest where nothing is to be matched
    on_disk: bool | None = None  # with a video, without one; None: both
    kind: Kind | None = None


class MetadataProvider(Protocol):
    """A site that knows titles."""

    def find(self, wanted: Wanted) -> ProviderFacts | None:
        """Return the facts; `None` when the site answered and has no such title.

        Raises:
            ProviderPaused: it must not be asked before an instant.
            UpstreamFailed: it could not be asked.
        """
        ...


class Covers(Protocol):
    """Pictures of titles on the disk."""

    def keep(self, url: str) -> str | None:
        """Fetch a picture and return its file name; `None` when there is no usable picture at that address.

        Raises:
            UpstreamFailed: it could not be asked for.
        """
        ...


class Shelf(Protocol):
    """Titles, videos, and the names under which titles are known."""

    def title(self, title_id: str) -> StoredTitle | None:
        """Return a title."""
        ...

    def change_title(
        self, title_id: str, fn: Callable[[StoredTitle], StoredTitle], *, start: StoredTitle | None = None
    ) -> StoredTitle:
        """Change a title, or begin it, and return it. `fn` may be called again. Raises NoSuchTitle."""
        ...

    def drop_title_if(self, title_id: str, fn: Callable[[StoredTitle], bool]) -> bool:
        """Delete a title if the rule says so of it as it stands; return whether it was deleted."""
        ...

    def listed(self, which: Which, limit: int, after: str | None) -> list[StoredTitle]:
        """Return titles in the order asked for, from behind the title with the id `after`."""
        ...

    def titles_count(self, which: Which) -> int:
        """Return how many titles there are of this kind."""
        ...

    def due(self, now: datetime, limit: int) -> list[StoredTitle]:
        """Return titles that wait for enrichment and may be tried now, the longest waiting first."""
        ...

    def without_facts(self) -> list[StoredTitle]:
        """Return the titles nobody knew anything of, or nobody was asked about."""
        ...

    def title_id_of(self, alias: str) -> str | None:
        """Return the title known under another name, such as `ia:metropolis` or `imdb:tt0017136`."""
        ...

    def claim_alias(self, alias: str, title_id: str) -> str:
        """Note the name for a title unless it is taken; return the id of the title that has it now."""
        ...

    def video(self, video_id: str) -> Video | None:
        """Return a video."""
        ...

    def put_video(self, video: Video) -> bool:
        """Store a video; return whether it is a new one."""
        ...

    def drop_video(self, video_id: str) -> Video | None:
        """Delete a video and return it as it was; `None` when there was none."""
        ...

    def newest_videos(self, limit: int, after: str | None) -> list[Video]:
        """Return videos, the last published first, from behind the one with the id `after`."""
        ...

    def videos_count(self) -> int:
        """Return how many videos there are."""
        ...

    def videos_of(self, title_id: str) -> list[Video]:
        """Return the videos of a title, in no order."""
        ...


class Hints(Protocol):
    """A word to the workers. It may be lost: the sweeper says it again."""

    def enrich(self, title_id: str, tries: int) -> None:
        """Ask some worker to enrich a title soon."""
        ...


class SearchIndex(Protocol):
    """Our own search over the names of titles."""

    def best(self, query: str) -> Sequence[str]:
        """Return the ids of the titles that fit, the best first."""
        ...


EnrichState = Literal["waiting", "done", "nothing", "failed", "off"]
