"""The gate before publishing: a packaged track is what it claims to be, or the video is not published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_downloader.domain.boxes import Fragment, Index
    from kinodom_downloader.domain.fetched import Fetched
    from kinodom_downloader.domain.headers import Track

OFFSET_TOLERANCE_S = 0.001
_SHORTER_SHARE = 0.02  # manifests are rounded up, and each segment may be a little shorter than it is stated


class PackagingFailed(Rejected):
    """The packaged video does not stand up to a check. Trying again gives the same, unless the source changes."""

    code = "packaging_failed"
    title = "The video could not be packaged"


class NothingToPlay(PackagingFailed):
    """There is neither a picture nor a sound in what was downloaded."""

    code = "nothing_to_play"


class EncryptedMedia(PackagingFailed):
    """The media are protected (DRM). We do not touch that."""

    code = "encrypted_media"


class IndexWrong(PackagingFailed):
    """The index of a track does not match its file."""

    code = "index_wrong"


class NoDecoderConfig(PackagingFailed):
    """A track lacks what a decoder must know first."""

    code = "no_decoder_config"


class DurationWrong(PackagingFailed):
    """A track is shorter or longer than what was downloaded."""

    code = "duration_wrong"


class OffsetLost(PackagingFailed):
    """Sound and picture are not where they were to each other."""

    code = "offset_lost"


class NoKeyFrame(PackagingFailed):
    """A fragment of the picture does not begin with a key frame: seeking to it would show rubbish."""

    code = "no_key_frame"


class NotAligned(PackagingFailed):
    """A rendition is not cut at the moments of the film that it belongs to."""

    code = "renditions_not_aligned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long the source's media are, and how exactly that is known."""

    duration_s: float
    tolerance_s: float


def plan_of(durations_s: Sequence[float], breaks: int) -> Plan | None:
    """Return the plan a playlist implies, None when it gives no durations.

    Old playlists round each segment to whole seconds, so that many small faults may add up.
    """
    total_s = sum(durations_s)
    if total_s <= 0:
        return None
    rounded = all(float(part).is_integer() for part in durations_s)
    each_s = 0.5 if rounded else 0.02
    return Plan(duration_s=total_s, tolerance_s=1.0 + 0.1 * breaks + min(each_s * len(durations_s), 0.1 * total_s))


def check_header(file: str, track: Track) -> str:
    """Return the codec string of a packaged track.

    Raises:
        EncryptedMedia, NoDecoderConfig: it cannot be played.
    """
    if track.encrypted:
        raise EncryptedMedia("The video is protected by DRM. It stays where it is.")
    if track.codec is None:
        raise NoDecoderConfig(f"{file}: the decoder's configuration is missing ({track.entry}).")
    return track.codec


def check_index(file: str, index: Index, size_bytes: int) -> None:
    """Pass when the indexed fragments fill the file exactly to its end."""
    end = index.references[-1].start + index.references[-1].size
    if end != size_bytes:
        raise IndexWrong(f"{file}: the index ends at byte {end}, the file at {size_bytes}.")


def check_fragment(file: str, number: int, fragment: Fragment, *, is_video: bool) -> None:
    """Pass when a fragment of a picture starts with a key frame, or does not say."""
    if is_video and fragment.starts_with_key is False:
        raise NoKeyFrame(f"{file}: fragment {number} does not begin with a key frame.")


def check_duration(file: str, index: Index, plan: Plan | None) -> None:
    """Pass when the track is as long as planned."""
    if plan is None:
        return
    length_s = index.end_s - index.start_s
    if abs(length_s - plan.duration_s) > plan.tolerance_s:
        raise DurationWrong(
            f"{file} is {length_s:.1f} s long; the source said {plan.duration_s:.1f} s. Nothing was published."
        )


def check_whole(length_s: float, fetched: Fetched) -> None:
    """Pass when the film is not shorter than its list said; what was only said beside the address is no list."""
    listed = any(sum(track.durations_s) > 0 for track in fetched.tracks if track.role != "subtitles")
    if fetched.duration_s is None or not listed:
        return
    least_s = fetched.duration_s - 2.0 - _SHORTER_SHARE * fetched.duration_s
    if length_s < least_s:
        raise DurationWrong(
            f"The film is {length_s:.1f} s long; its list said {fetched.duration_s:.1f} s. Nothing was published."
        )


def check_offset(file: str, start_s: float, wanted_s: float) -> None:
    """Pass when the track starts where it started at the source, within 1 ms."""
    if abs(start_s - wanted_s) > OFFSET_TOLERANCE_S:
        raise OffsetLost(f"{file} starts at {start_s:.3f} s instead of {wanted_s:.3f} s.")


def check_aligned(file: str, made: Index, like: Index) -> None:
    """Pass when a rendition is cut at the moments of its source, so that a player may change between them."""
    starts_s = [[part.at / one.timescale for part in one.references] for one in (made, like)]
    if len(starts_s[0]) != len(starts_s[1]):
        raise NotAligned(f"{file} has {len(starts_s[0])} fragments, the film has {len(starts_s[1])}.")
    for number, (at_s, wanted_s) in enumerate(zip(*starts_s, strict=True)):
        if abs(at_s - wanted_s) > OFFSET_TOLERANCE_S:
            raise NotAligned(f"{file}: fragment {number} begins at {at_s:.3f} s instead of {wanted_s:.3f} s.")
