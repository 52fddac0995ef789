"""A site with feeds, and small invented feeds."""

from __future__ import annotations

from flask import Flask, Response, abort

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:media="http://search.yahoo.com/mrss/"
     xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
  <title>The Tin &amp; Light Hour</title>
  <link>https://feeds.example/</link>
  <description><![CDATA[<p>About <b>lighthouses</b>.</p><script>x()</script>]]></description>
  <language>en-us</language>
  <copyright>CC BY 4.0</copyright>
  <itunes:image href="/cover.jpg"/>
  <itunes:category text="Travel"/>
  <item>
    <title>The second lamp</title>
    <pubDate>Fri, 15 Mar 2024 20:00:00 +0300</pubDate>
    <enclosure url="https://cdn.example/2.mp4?x=1" length="2000" type="video/mp4"/>
    <itunes:duration>1:02:03</itunes:duration>
    <podcast:transcript url="/2.vtt" type="text/vtt" language="en"/>
    <podcast:transcript url="/2.html" type="text/html"/>
  </item>
  <item>
    <title>Only sound</title>
    <pubDate>Thu, 14 Mar 2024 20:00:00 GMT</pubDate>
    <enclosure url="https://cdn.example/s.mp3" length="10" type="audio/mpeg"/>
  </item>
  <item>
    <title>The first lamp</title>
    <pubDate>Sun, 31 Dec 2023 08:00:00 GMT</pubDate>
    <media:group>
      <media:content url="https://cdn.example/1-480.mp4" type="video/mp4" height="480" fileSize="900" duration="61"/>
      <media:content url="https://cdn.example/1-1080.mp4" type="video/mp4" height="1080" fileSize="1900" duration="61"/>
      <media:content url="https://cdn.example/1.m3u8" type="application/x-mpegURL"/>
      <media:content url="https://cdn.example/1.jpg" medium="image"/>
      <media:subTitle href="https://cdn.example/1.de.vtt" type="text/vtt" lang="de"/>
    </media:group>
  </item>
</channel>
</rss>
"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">
  <title type="html">Le &lt;i&gt;phare&lt;/i&gt;</title>
  <subtitle>Court</subtitle>
  <logo>logo.png</logo>
  <rights>Domaine public</rights>
  <entry>
    <title>Un</title>
    <published>2024-03-15T06:00:00+09:00</published>
    <updated>2024-05-01T00:00:00Z</updated>
    <link rel="alternate" href="https://feeds.example/un"/>
    <link rel="enclosure" type="video/webm" href="videos/un.webm" length="5"/>
  </entry>
</feed>
"""


def item(number: int, **tags: str) -> str:
    """Return one RSS entry with a video; more tags by name."""
    more = "".join(f"<{name}>{text}</{name}>" for name, text in tags.items())
    return f'<item><title>Part {number}</title><enclosure url="https://cdn.example/{number}.mp4"/>{more}</item>'


def rss(*items: str) -> str:
    """Return an RSS feed with these entries."""
    return f"<rss><channel><title>Parts</title>{''.join(items)}</channel></rss>"


class FakeFeeds:
    """Serves documents by path."""

    def __init__(self) -> None:
        self.pages: dict[str, str | bytes] = {"show.xml": RSS, "atom": ATOM}
        self.asked: list[str] = []
        self.status = 200

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_feeds")

        @app.get("/<path:name>")
        def page(name: str) -> Response:
            self.asked.append(name)
            if self.status != 200 or name not in self.pages:
                abort(self.status if self.status != 200 else 404)
            return Response(self.pages[name], content_type="text/xml")

        return app
