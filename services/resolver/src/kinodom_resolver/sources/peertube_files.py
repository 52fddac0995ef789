"""What a PeerTube video consists of: playlists, files, heights and captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_resolver.sources.reading import address_of, count_of, language_of, mapping_of, mappings_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Delivery

HLS: Final = 1  # the one type of streaming playlists that PeerTube has


def heights_of(video: Mapping[str, object]) -> tuple[int, ...]:
    """Return the heights it can be had in, the greatest first."""
    files = [*mappings_of(video.get("files")), *(file for one in _playlists(video) for file in _files(one))]
    return tuple(sorted({height for file in files if (height := _height(file)) is not None}, reverse=True))


def offers_of(
    video: Mapping[str, object],
    base: str,
    *,
    source: str,
    duration_s: float | None,
    subtitles: tuple[SubtitleOffer, ...],
) -> list[Offer]:
    """Return master playlists, then files, the highest first; a file without its sound or picture is left out.

    Where a playlist has no master, the renditions of it that hold sound and picture stand in its place.
    """
    found: list[tuple[Delivery, object, Mapping[str, object]]] = []
    for playlist in _playlists(video):
        if address_of(base, playlist.get("playlistUrl")):
            found.append(("hls", playlist.get("playlistUrl"), {}))
            continue
        for file in _playable(_files(playlist)):
            listed = file.get("playlistUrl")
            found.append(("hls", listed, file) if listed else ("progressive", file.get("fileUrl"), file))
    for file in _playable(mappings_of(video.get("files"))):
        found += [("progressive", file.get("fileUrl") or file.get("fileDownloadUrl"), file)]
    offers = []
    for delivery, link, file in found:
        url = address_of(base, link)
        if url is None:
            continue
        try:
            offer = Offer(
                source=source,
                url=url,
                delivery=delivery,
                height_px=_height(file),
                size_bytes=count_of(file.get("size")),
                duration_s=duration_s,
                subtitles=subtitles,
            )
        except ValidationError:
            continue
        offers.append(offer)
    return offers


def subtitles_of(captions: Sequence[Mapping[str, object]], base: str) -> tuple[SubtitleOffer, ...]:
    """Return the captions, those made by a person before those made by a machine."""
    made = sorted(captions, key=lambda caption: caption.get("automaticallyGenerated") is True)
    return tuple(
        SubtitleOffer(url=url, language=language_of(mapping_of(caption.get("language")).get("id")), name=_name(caption))
        for caption in made
        if (url := address_of(base, caption.get("fileUrl")) or address_of(base, caption.get("captionPath"))) is not None
    )


def _playlists(video: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [one for one in mappings_of(video.get("streamingPlaylists")) if one.get("type", HLS) == HLS]


def _files(playlist: Mapping[str, object]) -> list[Mapping[str, object]]:
    return mappings_of(playlist.get("files"))


def _playable(files: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
    pictures = [file for file in files if not _is_sound(file)]
    # Where some file has sound, one without it is half of a split video; where none has, the film is silent.
    split = any(file.get("hasAudio") is not False for file in files)
    whole = [file for file in pictures if file.get("hasAudio") is not False or not split]
    return sorted(whole, key=lambda file: -(_height(file) or 0))


def _is_sound(file: Mapping[str, object]) -> bool:
    resolution = mapping_of(file.get("resolution")).get("id")
    return file.get("hasVideo") is False or (resolution == 0 and not isinstance(resolution, bool))


def _height(file: Mapping[str, object]) -> int | None:
    if _is_sound(file):
        return None
    return count_of(file.get("height")) or count_of(mapping_of(file.get("resolution")).get("id"))


def _name(caption: Mapping[str, object]) -> str | None:
    label = text_of(mapping_of(caption.get("language")).get("label"), longest=100)
    by_machine = caption.get("automaticallyGenerated") is True
    return f"{label} (made by a machine)" if label and by_machine else label
