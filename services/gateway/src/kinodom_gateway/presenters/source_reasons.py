"""Why a source did not do what was asked, by the public code; `reasons` chooses between what is here and its words."""

from __future__ import annotations

from kinodom_gateway.i18n import mark

ANSWER_ODD = mark("Its answer cannot be read. The site may have changed; look for a newer version of Kinodom.")
_TURNED_AWAY = mark(
    "The site turned the question away. If it asks people to sign in, give it a cookie; else try later."
)
_RESTING = mark("It failed several times in a row and is left alone. It is tried again by itself within half a minute.")
_FACTS = mark("The site with the facts about films does not answer as it should. Try later.")

OF_SOURCES = {
    "source_silent": mark("The source did not answer in time. Try again in a minute."),
    "source_busy": mark("Earlier questions to it are still open. Search again in a few seconds."),
    "source_broke": ANSWER_ODD,
    "archive_garbled": ANSWER_ODD,
    "demo_garbled": ANSWER_ODD,
    "kodik_garbled": mark("Kodik's answer cannot be read. Look for a newer version of Kinodom."),
    "kodik_refused": ANSWER_ODD,
    "kodik_player_failed": mark("Kodik's player page shows an error or has changed. Try later, or another source."),
    "kodik_token_refused": mark("Kodik does not take the token. Set KINODOM_KODIK_TOKEN to a valid one and restart."),
    "kodik_moved": mark("Kodik's player has moved. Add its new host to KINODOM_KODIK_PLAYER_HOSTS and restart."),
    "kodik_blocked_here": mark("Kodik does not show this in the country that it takes the house to be in."),
    "shikimori_trouble": mark("Shikimori, where names are looked up for Kodik, has trouble. Search again later."),
    "omdb_trouble": _FACTS,
    "provider_paused": _FACTS,
    "no_such_source": mark("The source of this title is switched off in this house."),
    "address_refused": mark("This address leads into the home network. KINODOM_ALLOW_LAN opens single places there."),
    "address_too_long": mark("This address is too long to be kept. Look for a shorter one of the same video."),
    "scheme_refused": mark("Only addresses that begin with http or https can be opened."),
    "too_many_redirects": mark("The address leads on and on and arrives nowhere."),
    "not_a_video": mark(
        "There is neither a playlist nor a video at this address. Paste the address of the video itself."
    ),
    "not_media": mark("At this address is a page or a file, but no film."),
    "outside_not_found": mark("There is nothing at this address any more."),
    "outside_unreachable": mark(
        "The site cannot be reached. Check the house's connection to the internet, then try again."
    ),
    "outside_timeout": mark("The other side took too long. Try again later."),
    "outside_too_large": ANSWER_ODD,
    "outside_bad_status": _TURNED_AWAY,
    "outside_bad_answer": mark("Its answer broke off on the way. Try again."),
    "source_resting": _RESTING,
    "host_resting": _RESTING,
    "bot_check": mark(
        "The site wants to see that a person asks, and the house does not get around that. Open the site in your "
        "browser; where it allows this, give the house its cookie. Else choose another source."
    ),
}

OF_SITES = {
    "commons_garbled": mark("Wikimedia Commons answered with something that cannot be read. Try again later."),
    "peertube_garbled": mark("A PeerTube site answered with something that cannot be read. Try again later."),
    "feed_garbled": mark("There is no feed of videos that can be read at this address."),
    "peertube_locked": mark("The owner of this video keeps it closed."),
    "places_silent": mark("None of the sites behind this source answered. Try again later."),
    "cookie_not_given": mark("Paste a cookie or choose a file."),
    "cookie_not_read": mark("That is no cookie in any of the three forms, or its site is not named."),
    "host_not_listed": mark("A page of this site leads to a host that its description does not list."),
    "site_file_broken": mark("The description of this site has mistakes. The page of sources shows them."),
    "site_garbled": mark("This site looks different from its description. Mend the description."),
    "source_cannot_search": mark("This source does not read what was typed."),
    "source_not_set_up": mark("A setting that this source needs is missing."),
    "unknown_source": mark("The house has no such source."),
    "memory_away": mark("The settings could not be kept: Redis does not answer. Try again in a few seconds."),
    "no_source_key": mark("Cookies cannot be kept here: the key that locks them is missing. Start the house again."),
    "no_offer_plays": mark("None of the addresses of this film plays right now. Try again later, or another dub."),
    "offer_not_playable": mark("What lies at this address does not play."),
    "page_too_hard": mark("A page of this source could not be read within the limits."),
    "import_changed": mark("A file of the import folder changed while it was copied. It is copied anew."),
    "import_folder_unreadable": mark("The import folder cannot be read. Check that its disk is there."),
    "import_gone": mark("The file is not in the import folder any more."),
    "import_off": mark("The house has no import folder."),
    "import_refused": mark("This name in the import folder leads out of it, or is no plain file."),
    "import_unreadable": mark("A file of the import folder cannot be read now."),
    "ytdlp_failed": mark("yt-dlp knows the site and could not read this page."),
    "ytdlp_timeout": mark("yt-dlp took too long over this page. Try again later."),
    "not_in_queue": mark("This is not in the queue any more."),
    "nothing_to_pause": mark("There is nothing to pause: it is done, or has not begun."),
    "browser_tls_missing": mark("Browser-like TLS is not installed here."),
}

_LATE = mark("It did not answer in time. The rest is complete. Search again in a minute.")

_HOUSE = mark("A part of the house does not answer. It may be starting; try again in a few seconds.")

LISTED = {  # said where sources are listed, beside others that did answer; other codes of sources have one sentence
    "source_silent": _LATE,
    "outside_timeout": _LATE,
    "service_silent": _HOUSE,
    "service_late": _HOUSE,
}

SHORT = {
    "kodik_token_refused": mark("needs a new token"),
    "kodik_blocked_here": mark("not in this country"),
    "kodik_moved": mark("has moved"),
    "outside_bad_status": mark("turns us away"),
    "bot_check": mark("wants a person"),
    "source_resting": mark("left alone"),
    "host_resting": mark("left alone"),
    "site_file_broken": mark("has mistakes"),
}
