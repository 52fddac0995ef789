"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from flask_babel import format_decimal, get_locale

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext

if TYPE_CHECKING:
    from kinodom_common.contracts.videos import Video

NBSP = "\u00a0"


def size(size_bytes: int) -> str:
    """Return `1.5 GB`, `640 MB`; decimal units, as shops and disks count."""
    if size_bytes >= 1e9:
        return tenths(size_bytes / 1e9) + NBSP + _("GB")
    return f"{max(1, round(size_bytes / 1e6))}{NBSP}" + _("MB")


def tenths(value: float) -> str:
    """Return `1.5`, with the viewer's decimal sign."""
    return str(format_decimal(value, "0.0"))


def heights(video: Video) -> str:
    """Return `1080p, 480p`: the heights in which there is a picture; empty when none is known."""
    found = {track.height_px for track in video.tracks if track.kind == "video"} | {video.height_px}
    return ", ".join(f"{height}p" for height in sorted((one for one in found if one), reverse=True))


def seconds(duration_s: float) -> str:
    """Return `0.4 s`."""
    return tenths(duration_s) + NBSP + _("s")


def length(duration_s: float) -> str:
    """Return `27 min`, `1 h 36 min`, `40 s`."""
    if duration_s < 90:
        return f"{round(duration_s)}{NBSP}" + _("s")
    minutes = round(duration_s / 60)
    hours, rest = divmod(minutes, 60)
    short = f"{rest}{NBSP}" + _("min")
    return f"{hours}{NBSP}" + _("h") + f" {short}" if hours else short


def ago(age_s: float) -> str:
    """Return `2 minutes ago`; what lies ahead by another clock happened just now."""
    return str(
        format_timedelta(timedelta(seconds=-max(1.0, age_s)), add_direction=True, locale=str(get_locale() or "en"))
    )


def ahead(wait_s: float) -> str:
    """Return `in 2 minutes`; what is over happens at once."""
    if wait_s <= 0:
        return _("at once")
    return str(format_timedelta(timedelta(seconds=wait_s), add_direction=True, locale=str(get_locale() or "en")))


def speed(bytes_s: float) -> str:
    """Return `4.2 MB/s`; empty when nothing moves."""
    return _("%(n)s MB/s", n=format_decimal(round(bytes_s / 1e6, 1))) if bytes_s >= 50_000 else ""


def left(rest_s: float) -> str:
    """Return `6 minutes left`; empty when nobody can say. The page's script says it in the same words."""
    if rest_s <= 0:
        return ""
    if rest_s < 60:
        return ngettext("%(num)d second left", "%(num)d seconds left", max(1, math.ceil(rest_s)))
    return ngettext("%(num)d minute left", "%(num)d minutes left", math.ceil(rest_s / 60))


def clock(duration_s: float) -> str:
    """Return `17:04` or `1:02:03`."""
    seconds = int(duration_s)
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def percent(fraction: float) -> int:
    """Return whole percent; 100 only when it is all there."""
    return 100 if fraction >= 1 else int(fraction * 100)


def kind(value: str) -> str:
    """Return the word for a kind of title."""
    return {"film": _("Film"), "series": _("Series")}.get(value, _("Film"))


def translation_kind(value: str) -> str:
    """Return the word for a kind of translation."""
    return {"voice": _("voice"), "subtitles": _("subtitles"), "original": _("original")}.get(value, value)


def dub(name: str) -> str:
    """Return the name of a dub; the one that sources give to a film as it was made is translated."""
    return _("Original") if name == "Original" else name


def source(label: str) -> str:
    """Return the name of a source; those that are words are translated, names of sites stay."""
    return {
        "Demo films": _("Demo films"),
        "Import folder": _("Import folder"),
        "Typed address": _("Typed address"),
        "Video feeds": _("Video feeds"),
    }.get(label, label)


def language(tag: str | None) -> str:
    """Return the name of a language in the viewer's own, such as `Russian`; the tag when nobody knows it."""
    try:
        name = Locale.parse(tag, sep="-").get_language_name(get_locale() or "en") if tag else ""
    except (ValueError, UnknownLocaleError):
        return tag or ""
    return name or tag or ""


def episodes(count: int) -> str:
    """Return `12 episodes`."""
    return ngettext("%(num)d episode", "%(num)d episodes", count)


def films(count: int) -> str:
    """Return `14 films`."""
    return ngettext("%(num)d film", "%(num)d films", count)


def stage(value: str) -> str:
    """Return what a worker is doing."""
    return {
        "asking": _("asking the source"),
        "planning": _("reading the list of parts"),
        "fetching": _("fetching"),
        "packaging": _("packaging"),
        "publishing": _("putting it on the shelf"),
    }.get(value, value)
