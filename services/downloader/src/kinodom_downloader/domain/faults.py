"""What stops a download, each with its own public code.

Errors of the Rejected family are final: trying again gives the same. UpstreamFailed passes, and what is finished is
kept; so it is with `NoSpace` of kinodom_common.errors.
"""

from __future__ import annotations

from kinodom_common.errors import NotFound, Rejected, UpstreamFailed


class Stopped(Exception):
    """The caller asked to stop. What is finished lies in the work folder; the same call goes on from there."""


class LivePlaylist(Rejected):
    """The playlist has no end: it is a broadcast that is going on."""

    code = "live_playlist"
    title = "That is a live broadcast"


class DrmProtected(Rejected):
    """The media is locked by a DRM system, which the house does not touch."""

    code = "drm_protected"
    title = "That film is locked"


class PlaylistRefused(Rejected):
    """The playlist asks for what nobody sane asks for: too long, too deep, another scheme."""

    code = "playlist_refused"


class NotMedia(Rejected):
    """There is a page or a file at the address, but no film."""

    code = "not_media"
    title = "There is no film at that address"


class SegmentGap(Rejected):
    """The source itself says that a part of the film is missing."""

    code = "segment_gap"


class PlaylistBad(UpstreamFailed):
    """What came instead of a playlist or a manifest cannot be read."""

    code = "playlist_bad"


class SegmentBad(UpstreamFailed):
    """A segment came, several times, and is no media. Facts: `track`, `segment` (1-based), `segments`."""

    code = "segment_bad"


class KeyBad(UpstreamFailed):
    """The key of a segment is not 16 bytes."""

    code = "key_bad"


class SegmentMissing(UpstreamFailed):
    """The host says that a segment does not exist."""

    code = "segment_missing"


class SegmentUnreachable(UpstreamFailed):
    """A segment did not come after all attempts. Facts as in SegmentBad, and `retry_after_s`."""

    code = "segment_unreachable"


class LinkExpired(UpstreamFailed):
    """The host no longer lets us in (401, 403): a fresh link from the resolver helps, finished segments are kept."""

    code = "link_expired"


class ImportOff(Rejected):
    """The downloader was told of no import folder."""

    code = "import_off"


class ImportRefused(Rejected):
    """The address leads out of the import folder, or to something that is no plain file."""

    code = "import_refused"


class ImportGone(NotFound):
    """The import folder has no such file."""

    code = "import_gone"


class ImportUnreadable(UpstreamFailed):
    """The import folder or a file in it cannot be read now."""

    code = "import_unreadable"


class ImportChanged(UpstreamFailed):
    """The file changed while it was copied."""

    code = "import_changed"
