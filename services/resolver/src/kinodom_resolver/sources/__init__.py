"""The sources: one file and one class each, and one line here.

A package of somebody else adds a source by an entry point in the group `kinodom.sources`, of the same form.
"""

from __future__ import annotations

from typing import Final

BUILT_IN: Final = {
    "demo": "kinodom_resolver.sources.demo:Demo",
    "direct": "kinodom_resolver.sources.direct:Direct",
    "feed": "kinodom_resolver.sources.feed:VideoFeed",
    "folder": "kinodom_resolver.sources.folder:Folder",
    "internet_archive": "kinodom_resolver.sources.internet_archive:InternetArchive",
    "kodik": "kinodom_resolver.sources.kodik:Kodik",
    "nasa": "kinodom_resolver.sources.nasa:Nasa",
    "peertube": "kinodom_resolver.sources.peertube:PeerTube",
    "wikimedia_commons": "kinodom_resolver.sources.wikimedia_commons:WikimediaCommons",
    "ytdlp": "kinodom_resolver.sources.ytdlp:YtDlp",
}
