"""Signed links to media. Nginx checks them by itself (`secure_link`); one signature covers a whole folder."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from kinodom_common.ids import folder_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLink:
    """A folder that one viewer may read until the link expires."""

    prefix: str  # `/v/<signature>/<expiry>/<folder>/`, and `/w/…` while the film is still coming
    expires_at_s: int  # seconds since 1970

    @property
    def manifest_url(self) -> str:
        """Return the address that a player opens."""
        return f"{self.prefix}manifest.mpd"

    @property
    def live_url(self) -> str:
        """Return where the film lies while it is still coming."""
        return f"/w/{self.prefix.removeprefix('/v/')}"

    @property
    def poster_url(self) -> str:
        """Return the address of a still of the film."""
        return f"{self.prefix}poster.jpg"


def media_link(video_id: str, *, viewer_cookie: str, key: str, now_s: float, life_s: int) -> MediaLink:
    """Return a link for the one browser that holds this cookie.

    The text under the signature is the one in `nginx/conf.d/media.conf`: expiry, folder, the raw cookie, the key.
    MD5 is what `secure_link` knows; the key is 32 random bytes and stands last, so nothing can be appended.
    """
    expires_s = int(now_s) + life_s
    folder = folder_of(video_id)
    text = f"{expires_s} {folder} {viewer_cookie} {key}".encode()
    digest = hashlib.md5(text, usedforsecurity=False).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return MediaLink(prefix=f"/v/{signature}/{expires_s}/{folder}/", expires_at_s=expires_s)
