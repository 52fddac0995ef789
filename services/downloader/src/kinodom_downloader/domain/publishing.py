"""What a published folder says of itself: `metadata.json`, the last file written, and `metadata.txt`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import VideoIn
from kinodom_common.errors import KinodomError
from kinodom_downloader.domain.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = "metadata.json"
METADATA_TEXT = "metadata.txt"
SCHEMA = 1
_STAMP = "%Y%m%dT%H%M%SZ"


class FolderBroken(KinodomError):
    """A published folder is not what its metadata say."""

    code = "folder_broken"
    title = "A video folder is damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSum:
    """Size and SHA-256 (hexadecimal) of one file."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The content of `metadata.json`."""

    video_id: str
    source: str  # name of the source the video came from
    video: VideoIn
    files: dict[str, FileSum]  # every file of the folder but the metadata themselves


def trash_name(video_id: str, at_s: float, salt: str) -> str:
    """Return the name of a folder in the trash: since when, which video, and something that makes it the only one."""
    return f"{datetime.fromtimestamp(at_s, UTC):{_STAMP}}-{video_id}-{salt}"


def trashed_at_s(name: str) -> float | None:
    """Return since when a folder lies in the trash, seconds since 1970; None when its name does not say."""
    try:
        return datetime.strptime(name.partition("-")[0], _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def metadata_json(metadata: Metadata) -> bytes:
    """Return the text of `metadata.json`; the same metadata always give the same bytes."""
    document = {
        "schema": SCHEMA,
        "video_id": metadata.video_id,
        "source": metadata.source,
        "video": metadata.video.model_dump(mode="json"),
        "files": {
            name: {"size_bytes": one.size_bytes, "sha256": one.sha256} for name, one in sorted(metadata.files.items())
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read_metadata(content: bytes) -> Metadata:
    """Return what a `metadata.json` says.

    Raises:
        FolderBroken: it is not one of ours, or of a later schema.
    """
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise FolderBroken(f"The folder was written by another version (schema {document['schema']}).")
        return Metadata(
            video_id=str(document["video_id"]),
            source=str(document["source"]),
            video=VideoIn.model_validate(document["video"]),
            files={
                str(name): FileSum(size_bytes=int(one["size_bytes"]), sha256=str(one["sha256"]))
                for name, one in document["files"].items()
            },
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise FolderBroken("metadata.json cannot be read.") from exc


def metadata_text(video: VideoIn) -> bytes:
    """Return the text of `metadata.txt`: the IMDb id alone on the first line when it is known, then `key: value`."""
    pairs = (
        ("title", video.title.name),
        ("original_title", video.title.original_name),
        ("year", video.title.year),
        ("season", video.season),
        ("episode", video.episode),
        ("episode_name", video.episode_name),
        ("translation", video.translation_name),
        ("language", video.language),
        ("external_id", video.external_id),
    )
    lines = [video.title.imdb_id] if video.title.imdb_id else []
    lines += [f"{key}: {one_line(str(value))}" for key, value in pairs if value is not None]
    lines += [f"missing: {hole.from_s:.3f}-{hole.to_s:.3f} s ({hole.lacks})" for hole in video.holes]
    return ("\n".join(lines) + "\n").encode()


def faults(metadata: Metadata, video_id: str, sizes: Mapping[str, int]) -> list[str]:
    """Return what is wrong with a folder, in words; nothing means it is whole.

    Args:
        metadata: what the folder says of itself.
        video_id: which video should be there.
        sizes: bytes of each file that is there.
    """
    found = [] if metadata.video_id == video_id else [f"it says it is {metadata.video_id[:8]}…"]
    found += [f"{name} is missing" for name in metadata.files if name not in sizes]
    found += [
        f"{name} has {sizes[name]} bytes instead of {one.size_bytes}"
        for name, one in metadata.files.items()
        if name in sizes and sizes[name] != one.size_bytes
    ]
    if not any(name.endswith(".mpd") for name in metadata.files):
        found.append("it names no manifest")
    return found
