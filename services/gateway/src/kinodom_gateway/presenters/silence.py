"""Why a source is silent and what to do about it, in plain words by the code of its problem."""

from __future__ import annotations

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.presenters import reasons


def plain(code: str | None, detail: str | None) -> str:
    """Return what happened and what to do; for a code without words of its own, what the source's problem says."""
    known = _of_site(code) or _of_kodik(code) or _of_address(code)
    return known or reasons.sentence(code, detail) or _("It did not answer.")


def short(code: str | None) -> str:
    """Return the state of a silent source in two or three words."""
    return {
        "kodik_token_refused": _("needs a new token"),
        "kodik_blocked_here": _("not in this country"),
        "kodik_moved": _("has moved"),
        "outside_bad_status": _("turns us away"),
        "source_resting": _("left alone"),
        "host_resting": _("left alone"),
    }.get(code or "", _("no answer"))


def _of_site(code: str | None) -> str | None:
    late = _("It did not answer in time. The rest is complete. Search again in a minute.")
    garbled = _("Its answer cannot be read. The site may have changed; look for a newer version of Kinodom.")
    resting = _("It failed several times in a row and is left alone. It is tried again by itself within half a minute.")
    house = _("A part of the house does not answer. It may be starting; try again in a few seconds.")
    away = _("The site cannot be reached. Check the house's connection to the internet, then search again.")
    refused = _("The site turned the question away. If it asks people to sign in, give it a cookie; else try later.")
    broken = _("Its answer broke off on the way. Search again.")
    return {
        "source_silent": late,
        "outside_timeout": late,
        "source_busy": _("Earlier questions to it are still open. Search again in a few seconds."),
        "source_resting": resting,
        "host_resting": resting,
        "source_broke": garbled,
        "archive_garbled": garbled,
        "demo_garbled": garbled,
        "page_too_hard": garbled,
        "outside_unreachable": away,
        "outside_bad_status": refused,
        "too_many_redirects": refused,
        "outside_bad_answer": broken,
        "outside_too_large": broken,
        "service_silent": house,
        "service_late": house,
    }.get(code or "")


def _of_kodik(code: str | None) -> str | None:
    return {
        "kodik_token_refused": _("Kodik does not take the token. Set KINODOM_KODIK_TOKEN to a valid one and restart."),
        "kodik_blocked_here": _("Kodik does not show this in the country that it takes the house to be in."),
        "kodik_moved": _("Kodik's player has moved. Add its new host to KINODOM_KODIK_PLAYER_HOSTS and restart."),
        "kodik_garbled": _("Kodik's answer cannot be read. Look for a newer version of Kinodom."),
        "kodik_player_failed": _("Kodik's player page shows an error or has changed. Try later, or another source."),
        "shikimori_trouble": _("Shikimori, where names are looked up for Kodik, has trouble. Search again later."),
    }.get(code or "")


def _of_address(code: str | None) -> str | None:
    return {
        "not_a_video": _(
            "There is neither a playlist nor a video at this address. Paste the address of the video itself."
        ),
        "scheme_refused": _("Only addresses that begin with http or https can be opened."),
        "address_refused": _("This address leads into the home network. KINODOM_ALLOW_LAN opens single places there."),
        "address_too_long": _("This address is too long to be kept. Look for a shorter one of the same video."),
        "outside_not_found": _("There is nothing at this address any more."),
    }.get(code or "")
