"""The sources: one file and one class each, and one line here.

A package of somebody else adds a source by an entry point in the group `kinodom.sources`, of the same form.
"""

from __future__ import annotations

from typing import Final

BUILT_IN: Final = {
    "demo": "kinodom_resolver.sources.demo:Demo",
    "direct": "kinodom_resolver.sources.direct:Direct",
    "kodik": "kinodom_resolver.sources.kodik:Kodik",
    "internet_archive": "kinodom_resolver.sources.internet_archive:InternetArchive",
}
