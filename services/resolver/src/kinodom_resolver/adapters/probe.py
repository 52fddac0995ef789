"""Looks at the beginning of what an address gives: is it a playlist, a manifest or a film?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_common.egress import OutsideTooLarge
from kinodom_common.errors import UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.egress import OutsideClient

PROBE_S: Final = 3.0
LOOK_BYTES: Final = 65_536
MOST_BYTES: Final = 4_000_000  # of a site that sends everything although a part was asked for


class OfferNotPlayable(UpstreamFailed):
    """What stands at the address is not what the source said."""

    code = "offer_not_playable"


class OutsideProbe:
    """Fetches the first bytes through the guard.

    Args:
        client_for: the way out of a source, with its proxy.
    """

    def __init__(self, client_for: Callable[[str], OutsideClient]) -> None:
        self._client_for = client_for

    def check(self, offer: Offer) -> None:
        """Return when the address plays.

        Raises:
            OfferNotPlayable: it gives something else.
            KinodomError: it gives nothing.
        """
        headers = {"Accept": "*/*", **offer.headers, "Range": f"bytes=0-{LOOK_BYTES - 1}"}
        try:
            page = self._client_for(offer.source).get(
                offer.url, headers=headers, max_bytes=MOST_BYTES, deadline_s=PROBE_S
            )
        except OutsideTooLarge:
            if offer.delivery == "progressive":
                return  # sent whole in spite of the question for a part: no page that says sorry is so large
            raise
        if not looks_right(page.body, offer.delivery):
            raise OfferNotPlayable("The address does not give what it should; it may have lapsed.")


def looks_right(body: bytes, delivery: str) -> bool:
    """Say whether the beginning of a file is that of a playlist with entries, a manifest, or a film."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if delivery == "hls":
        return text.startswith(b"#EXTM3U") and (b"#EXTINF" in text or b"#EXT-X-STREAM-INF" in text)
    if delivery == "dash":
        return text.startswith(b"<") and b"<MPD" in text[:4096]
    return body[4:8] == b"ftyp" or body.startswith(b"\x1a\x45\xdf\xa3")
