"""Words of the pages in the viewer's language, typed. The catalogues lie in `translations/`."""

from __future__ import annotations

import flask_babel


def gettext(text: str, **values: object) -> str:
    """Return the text in the viewer's language, with `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form that fits the count; `%(num)d` is the count."""
    return str(flask_babel.ngettext(one, many, count))
