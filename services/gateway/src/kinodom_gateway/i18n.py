"""Words of the pages in the viewer's language.

The catalogues are `translations/<language>/LC_MESSAGES/messages.po`. They are compiled in memory when they are first
needed (some 30 ms), so that a checkout, an image and a test read the same file and none can be older than its source.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import flask_babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import request

LANGUAGES = {"ru": "Русский", "en": "English"}  # each named in itself
SPOKEN_BY_CODE = "en"  # the language of the messages' keys
COOKIE = "language"
COOKIE_LIFE_S = 400 * 24 * 3600  # the longest a browser keeps one
FOLDER = Path(__file__).parent / "translations"

Entry = str | list[str]


class Words(flask_babel.Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """The catalogues, compiled from their sources."""

    def get_translations(self) -> NullTranslations:
        """Return the words of the current request's language."""
        locale = flask_babel.get_locale()
        return compiled(locale.language if locale else SPOKEN_BY_CODE)


def catalogue(language: str) -> Catalog | None:
    """Return the catalogue of a language; None when the code speaks it."""
    path = FOLDER / language / "LC_MESSAGES/messages.po"
    if language not in LANGUAGES or not path.is_file():
        return None
    with path.open("rb") as source:
        return read_po(source, locale=language)


@cache
def compiled(language: str) -> NullTranslations:
    """Return the words of a language, ready to look up; entries marked fuzzy are left out."""
    found = catalogue(language)
    if found is None:
        return NullTranslations()
    packed = BytesIO()
    write_mo(packed, found)
    packed.seek(0)
    return Translations(packed)


@cache
def script_words(language: str) -> dict[str, Entry]:
    """Return what the scripts say: a text by its key, or its plural forms in the order of the catalogue."""
    found: dict[str, Entry] = {}
    for message in catalogue(language) or ():
        if message.string and any(name.endswith(".js") for name, _line in message.locations):
            if isinstance(message.string, str):
                found[str(message.id)] = message.string
            else:
                found[message.id[0]] = [str(form) for form in message.string]
    return found


def language() -> str:
    """Return the language of this request: the one that was chosen, else what the browser prefers."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(tuple(LANGUAGES), SPOKEN_BY_CODE)


def this_page() -> str:
    """Return the address of the page of this request; of the home page when it was not got but posted to."""
    if request.method != "GET":
        return "/"
    query = request.query_string.decode("ascii", "ignore")
    return quote(request.path, safe="/:") + (f"?{query}" if query else "")


def mark(text: str) -> str:
    """Return the text as it is; it stands in the catalogues, and is translated where it is shown."""
    return text


def gettext(text: str, **values: object) -> str:
    """Return the text in the viewer's language, with `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form that fits the count; `%(num)d` is the count."""
    return str(flask_babel.ngettext(one, many, count))
