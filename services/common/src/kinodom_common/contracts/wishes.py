"""What someone wants on the disk, and how it is getting on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.titles import ExternalId, TitleCard, TranslationKind
from kinodom_common.contracts.videos import Hole

WishState = Literal["wanted", "running", "publishing", "ready", "waiting", "paused", "refused"]
Stage = Literal["asking", "planning", "fetching", "packaging", "publishing"]


WishPart = Literal["newest", "line", "done"]
"""`line`: what is not ready, in the order in which it comes. `done`: what is, the last finished first."""


class WishRequest(Request):
    """Ask for one episode (or a film) in one dub and height on the disk."""

    external_id: ExternalId
    season: Annotated[int, Field(ge=0, le=9999)] | None = None  # may be a year
    episode: Annotated[int, Field(ge=0, le=99_999)] | None = None
    translation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "original"
    translation_name: Annotated[str, Field(max_length=200)] = "Original"
    translation_kind: TranslationKind = "original"
    language: Annotated[str, Field(max_length=35)] | None = None
    height_px: Annotated[int, Field(ge=1, le=8640)] | None = None  # None: the best there is
    episode_name: Annotated[str, Field(max_length=300)] | None = None
    title: TitleCard
    asked_by: Annotated[str, Field(max_length=64)] = ""  # viewer id
    watch: bool = False  # somebody watches it now, while it comes; kept as long as there is room for such films


class Progress(Reply):
    """How far a running wish is. Sent at most four times a second."""

    stage: Stage = "asking"
    fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    fetched_bytes: int = 0
    total_bytes: int | None = None  # estimate; None: not known yet
    segments_done: int = 0
    segments_total: int | None = None
    speed_bytes_s: float | None = None
    left_s: float | None = None
    duration_s: float | None = None  # of the film, as its playlist states it
    anew: bool = False  # it began once more: what had come is not of the film that the source has now
    endless: bool = False  # its list has no end, as of a broadcast: what it held is recorded


class Wish(Reply):
    """A stored wish. Its id is the id of the video and of the folder."""

    wish_id: str
    request: WishRequest
    state: WishState
    reason_code: str | None = None  # when `waiting` or `refused`
    reason: str | None = None  # the same in words, with what to do
    attempt: int = 0
    position: float = 0.0  # in the queue, the lowest first
    progress: Progress = Progress()
    keep: bool = True  # False: only watched, so it goes when such films need its room
    missing: tuple[Hole, ...] = ()  # all that it lacks while it waits or is refused: it can be kept without
    with_holes: bool = False  # somebody said that it is kept without what does not come
    asked_at: datetime
    changed_at: datetime
    next_try_at: datetime | None = None  # UTC, when `waiting`


class WishMove(Request):
    """Put a wish in another place in the queue."""

    before: Annotated[str, Field(max_length=200)] | None = None  # wish id; None: behind all


class ManyChanged(Reply):
    """How many wishes one press changed."""

    changed: int


class DiskRoom(Reply):
    """How full the disk of the films is."""

    free_bytes: int
    total_bytes: int
    library_bytes: int  # of the films that are ready
    keep_free_bytes: int = 0  # which no download takes


class WishReply(Reply):
    """The answer to a request: the wish, and whether this request made it."""

    wish: Wish
    created: bool


class WishList(Reply):
    """Wishes, the newest first."""

    wishes: tuple[Wish, ...] = ()


class QueueStatus(Reply):
    """How the queue stands: wishes by what is done with them, and the room on the disk."""

    wanted: int = 0  # wait for a worker
    running: int = 0  # with those that are being put on the shelf
    waiting: int = 0  # stopped by something outside, tried again by themselves
    paused: int = 0
    refused: int = 0
    ready: int = 0
    parallel: int = 1  # worked on at once
    free_bytes: int | None = None  # on the disk; None: it cannot be read now
    total_bytes: int | None = None


class WishEvent(Reply):
    """Published in Redis on the channel `kd:downloads`; sync passes it on to browsers as it is."""

    type: Literal["task_started", "task_progress", "task_completed", "task_failed", "queue_status"]
    wish_id: str
    state: WishState
    title: str = ""
    reason: str | None = None
    progress: Progress = Progress()
    gone: bool = False  # it was taken off the list


DOWNLOADS_CHANNEL = "kd:downloads"  # of WishEvent
QUEUE_CHANNEL = "kd:queue"  # of QueueStatus: at every change, and every few seconds by whoever works
