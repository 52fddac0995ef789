"""Why something did not work, in the viewer's language.

Services tell errors in English: a title, which is one of a fixed list, and a sentence with the facts of the case. A
viewer who reads English gets both as they are. For others the title is translated as it stands, and the sentence is
the one that belongs to the public code; a code that is not here keeps the service's own sentence. Where sources are
listed the sentence about a source goes first in every language, because it says what to do, and two or three words
stand beside the name.
"""

from __future__ import annotations

import re

from kinodom_gateway.i18n import SPOKEN_BY_CODE, language, mark
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.presenters.source_reasons import ANSWER_ODD, LISTED, OF_SITES, OF_SOURCES, SHORT

TITLES = (
    mark("Something in the house broke"),
    mark("Not there"),
    mark("That cannot be done"),
    mark("Something else is already there"),
    mark("Not allowed"),
    mark("No answer"),
    mark("The disk is full"),
    mark("Waits for its hours"),
    mark("The list has changed"),
    mark("We cannot tell who you are"),
    mark("A part of the house does not answer"),
    mark("The request has mistakes"),
    mark("A program is missing"),
    mark("A program took too long"),
    mark("A program failed"),
    mark("Stopped"),
    mark("That address may not be called"),
    mark("Only http and https addresses work"),
    mark("The address leads in circles"),
    mark("The store is not answering"),
    mark("Already there"),
    mark("It has changed meanwhile"),
    mark("That cannot be stored"),
    mark("The store is newer than this program"),
    mark("The queue does not answer"),
    mark("No such wish"),
    mark("It is being worked on"),
    mark("No subtitles in the file"),
    mark("A kind of video we cannot play"),
    mark("Parts of the film did not come"),
    mark("Too much of it is missing"),
    mark("There is no hole to keep it with"),
    mark("No source has this part"),
    mark("That is a live broadcast"),
    mark("That film is locked"),
    mark("There is no film at that address"),
    mark("A video folder is damaged"),
    mark("The file is damaged"),
    mark("Nobody offers this now"),
    mark("The video could not be packaged"),
    mark("The media folder cannot be used"),
    mark("Kodik does not take the token"),
    mark("Kodik has moved"),
    mark("Not shown in this country"),
    mark("There is no video at this address"),
    mark("A source does not answer"),
    mark("A source broke"),
    mark("This room has closed"),
    mark("The room does not hold this video"),
    mark("The rooms cannot be reached"),
    mark("This did not come from a page of the house"),
    mark("Nothing to look for"),
    mark("Not in this dub"),
    mark("That is neither an id nor an address"),
    mark("It is on the shelf already"),
    mark("It is there already"),
    mark("That is no range of episodes"),
    mark("Of which season?"),
    mark("Too many at once"),
    mark("It has films on the disk"),
    mark("No demo films here"),
    mark("A page could not be read"),
    mark("A site is left alone for a while"),
    mark("A site looks different from its description"),
    mark("A source is left alone for a while"),
    mark("Its owner keeps this video closed"),
    mark("No cookie was given"),
    mark("Nothing of it plays right now"),
    mark("Secrets cannot be kept here"),
    mark("That host is not listed for this site"),
    mark("That is no cookie"),
    mark("The description of a site has mistakes"),
    mark("The import folder cannot be read"),
    mark("The settings could not be kept"),
    mark("yt-dlp could not read that page"),
    mark("yt-dlp took too long"),
    mark("No rendition is on its way"),
    mark("Makes room for a film"),
    mark("The film has changed meanwhile"),
    mark("Not in the queue"),
    mark("This film is not coming"),
    mark("The film goes on from another place"),
    mark("It has not come yet"),
    mark("That was the last one"),
    mark("There is nothing to pause"),
    mark("It cannot be brought back"),
    mark("Others are leaving right now"),
    mark("Requests cannot look like a browser's here"),
    mark("The site asks whether a person is there"),
    # names that HTTP gives
    mark("Bad Request"),
    mark("Not Found"),
    mark("Method Not Allowed"),
    mark("Request Entity Too Large"),
    mark("Unsupported Media Type"),
    mark("Too Many Requests"),
)

OF_THE_HOUSE = {
    "internal": mark("This is a mistake of the house, not yours. The log has the details."),
    "forged_request": mark("The page is too old, or cookies are off. Load the page again and repeat."),
    "forbidden": mark("This is not allowed here."),
    "bad_request": mark("Something in the request does not fit. Open the page again and repeat."),
    "rejected": mark("It cannot be done as asked."),
    "conflict": mark("It has changed meanwhile. Load the page again."),
    "stale": mark("It has changed meanwhile. Load the page again."),
    "no_such_page": mark("There is no page at this address. It may have been cut off on its way."),
    "not_found": mark("What was asked for is not here."),
    "method_not_allowed": mark("This address is not opened that way. Begin at the home page."),
    "body_too_large": mark("That is more than the house takes at once."),
    "wrong_content_type": mark("Something in the request does not fit. Open the page again and repeat."),
    "too_many_requests": mark("Too many steps at once. Wait a minute."),
    "service_silent": mark("A part of the house does not answer. It may be starting; try again in a few seconds."),
    "service_late": mark("No answer in time. Try again in a moment."),
    "upstream_failed": mark("No answer in time. Try again in a moment."),
    "store_unavailable": mark("The store does not answer. Nothing was changed; try again in a moment."),
    "queue_down": mark("The queue does not answer. What was asked for is kept and goes on by itself."),
    "rooms_away": mark("The rooms cannot be reached now. Films play on; try again in a moment."),
    "room_gone": mark("This room has closed. Open the film again to make a new one."),
    "room_item_unknown": mark("The room does not hold this film. Load the page again."),
    "bad_token": mark("The page is too old. Load it again."),
    "front_end_missing": mark("The scripts and styles were not built. Run make front-end and start again."),
    "media_folder_unusable": mark("The folder of the films is missing or cannot be written. Look after its disk."),
    "empty_query": mark("Type a name, or paste the address of a video."),
    "no_such_title": mark("The house has no such title, or its source does not have it any more."),
    "no_such_video": mark("This film is not on the disk any more. Open its page to get it again."),
    "bad_video_id": mark("This film is not on the disk any more. Open its page to get it again."),
    "export_busy": mark("Several films are being copied to devices right now. Try again when one has left."),
    "not_in_trash": mark("This film is not in the trash any more. Open its page to download it again."),
    "no_such_wish": mark("This is not on the list any more."),
    "wish_busy": mark("It is being worked on now. Try again when it has stopped."),
    "no_other_episode": mark("This dub has no other episode there. Another dub may have it."),
    "wish_not_claimable": mark("There is nothing to do for this now."),
    "no_such_translation": mark(
        "This dub, or the episode in it, is not there any more. Open the title again and choose."
    ),
    "not_an_address": mark("Give the id of a title, or the address of its page."),
    "title_there": mark("This title is on the shelf already."),
    "download_there": mark("It is on the disk, or on its way, already."),
    "bad_range": mark("Write the first and the last episode, such as 3-12, and not too many at once."),
    "season_needed": mark("This dub has several seasons, and each counts from its own first episode. Say which."),
    "too_many_at_once": mark("That is too many at once. Ask for a part of it first."),
    "title_has_videos": mark("Films of this title lie on the disk. Delete them first."),
    "no_demo": mark("The demo site does not answer. It is started with the house; try again in a few seconds."),
    "list_changed": mark("The list has changed. Load the page again."),
}

_DAMAGED = mark("What was fetched is no whole film. Try again, or choose another dub or source.")
_PART_MISSING = mark("A part of the film did not come. The others are kept; try again later.")
_LOCKED = mark("The film is locked. The house does not touch that; another source may have it.")
_PROGRAM = mark("The program that packages films failed. What was downloaded is kept; the log has the details.")

OF_DOWNLOADS = {
    "no_offer": mark("No source offers this now. Try later or choose another dub."),
    "outside_hours": mark("Downloads run at set hours only. It goes on by itself then; what is fetched is kept."),
    "no_space": mark("Waits for space: too little is left on the disk. Delete something and it goes on by itself."),
    "live_playlist": mark("This is a live broadcast: it has no end, so it cannot be downloaded."),
    "drm_protected": _LOCKED,
    "encrypted_media": _LOCKED,
    "codec_not_supported": mark("No browser plays this kind of video. Choose another quality or source."),
    "playlist_refused": ANSWER_ODD,
    "playlist_bad": ANSWER_ODD,
    "link_expired": mark("The link to the film has lapsed. The next try takes a fresh one; what came is kept."),
    "segment_gap": mark("The source itself says that parts of the film are missing. Choose another dub or source."),
    "parts_missing": mark("Parts of the film did not come from any source. The others are kept; it is tried again."),
    "too_many_holes": mark(
        "So much of the film is missing that the house does not keep it. Choose another dub or source."
    ),
    "nothing_missing": mark("Nothing is known to be missing of this film, or it is being fetched just now."),
    "left_out": mark("No source has this part of the film. The player goes on behind it."),
    "segment_missing": _PART_MISSING,
    "segment_unreachable": _PART_MISSING,
    "segment_bad": _PART_MISSING,
    "key_bad": _PART_MISSING,
    "broken_boxes": _DAMAGED,
    "packaging_failed": _DAMAGED,
    "nothing_to_play": _DAMAGED,
    "index_wrong": _DAMAGED,
    "no_decoder_config": _DAMAGED,
    "duration_wrong": _DAMAGED,
    "offset_lost": _DAMAGED,
    "no_key_frame": _DAMAGED,
    "no_such_rendition": mark("No further quality of this film is on its way."),
    "film_changed": mark("It has changed meanwhile. Load the page again."),
    "stepped_aside": mark("A film that somebody waits for comes first."),
    "rendition_not_claimable": mark("There is nothing to do for this now."),
    "renditions_not_aligned": mark("The further quality does not fit the film. The film plays as it is."),
    "too_many_kinds": _DAMAGED,
    "folder_broken": _DAMAGED,
    "no_cues": mark("A file of subtitles is empty."),
    "not_coming": mark("This film is not being fetched any more. Open its page to get it again."),
    "other_pieces": mark("The film goes on from another place. The player asks again by itself."),
    "still_coming": mark("The source is slow: this part has not come yet. Press Retry, or wait a little."),
    "crashes_the_worker": mark(
        "The download broke off three times in a row. The log of the downloader has the details."
    ),
    "handed_back": mark("The download was put off because the house was stopping. It goes on by itself."),
    "lease_lost": mark("The download was put off because the house was stopping. It goes on by itself."),
    "program_missing": mark(
        "The program that packages films is missing. Whoever runs the house has to install ffmpeg."
    ),
    "program_failed": _PROGRAM,
    "program_timeout": _PROGRAM,
    "program_stopped": mark("The download was put off because the house was stopping. It goes on by itself."),
}

SETTING = re.compile(r"KINODOM_\w+")
SENTENCES = OF_THE_HOUSE | OF_SOURCES | OF_SITES | OF_DOWNLOADS


def sentence(code: str | None, own: str | None, missing: object = None) -> str:
    """Return what to tell the viewer; `own` is what the service said, `missing` the episodes that a dub has not."""
    known = SENTENCES.get(code or "")
    if own and (known is None or language() == SPOKEN_BY_CODE):
        return own
    if missing:
        return _("This dub has not made these episodes: %(numbers)s. Another dub may have them.", numbers=missing)
    return _(known) if known else ""


def plain(code: str | None, own: str | None) -> str:
    """Return why a source is silent and what to do; for a code without words here, what the source said."""
    known = LISTED.get(code or "") or OF_SOURCES.get(code or "")
    return _(known) if known else sentence(code, own) or _("It did not answer.")


def short(code: str | None) -> str:
    """Return the state of a silent source in two or three words."""
    known = SHORT.get(code or "")
    return _(known) if known else _("no answer")


def missing_setting(note: str | None) -> str | None:
    """Return what a source that is not set up needs; `note` is how the source says it, with the settings' names."""
    names = SETTING.findall(note or "")
    if language() == SPOKEN_BY_CODE or not note:
        return note
    return _("Set %(names)s and restart.", names=", ".join(names)) if names else note


def title(own: str) -> str:
    """Return the title of an error; one that is not in `TITLES` stays as the service gave it."""
    return _(own) if own in TITLES else own
