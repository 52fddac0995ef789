"""Names for things: content keys, folders, random ids. No I/O."""

from __future__ import annotations

import hashlib
import secrets
import uuid


def content_key(
    external_id: str, season: int | None, episode: int | None, translation_id: str, height_px: int | None
) -> str:
    """Return the canonical text for one piece of content.

    Two people who ask for the same source, season, episode, dub and height ask for the same key. `None` for the
    height means "the best there is" and is a key of its own.
    """
    parts = (external_id, season, episode, translation_id, height_px)
    return "\x1f".join("" if part is None else str(part) for part in parts)


def video_id_of(key: str) -> str:
    """Return the id of the video with this content key: 64 hexadecimal digits (SHA-256).

    It is the id of the wish, of the folder and of the catalogue's row, so that no two of them can be made for one
    content.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def folder_of(video_id: str) -> str:
    """Return the folder of a video below the library: `ab/abcd…`."""
    return f"{video_id[:2]}/{video_id}"


def title_id_of(external_id: str) -> str:
    """Return the catalogue's id of a title first seen under this external id: `t` and 20 hexadecimal digits."""
    return "t" + hashlib.sha256(external_id.encode()).hexdigest()[:20]


def new_id() -> str:
    """Return a fresh id nobody can guess: 22 characters of the URL-safe alphabet, 128 random bits."""
    return secrets.token_urlsafe(16)


def new_request_id() -> str:
    """Return an id in the shape of Nginx's `$request_id`: 32 hexadecimal digits."""
    return uuid.uuid4().hex
