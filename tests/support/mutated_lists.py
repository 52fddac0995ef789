"""Playlists and manifests of real shapes, and what may become of them on the way: the same for the same seed."""

from __future__ import annotations

import random
import re

MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="media.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Русский, полные",LANGUAGE="ru",URI="subs.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2800000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a",SUBTITLES="s"
media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360
low/media.m3u8?token=a%20b
"""
MEDIA = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:2.000000,
seg0.ts
#EXTINF:2.000000,title, with a comma
seg1.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.000000,
seg2.ts
#EXT-X-ENDLIST
"""
LOCKED = MEDIA.replace(
    "#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x000102030405060708090a0b0c0d0e0f\n#EXTINF', 1
)
RANGES = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MAP:URI="film.mp4",BYTERANGE="720@0"
#EXTINF:5.96,
#EXT-X-BYTERANGE:100000@720
film.mp4
#EXTINF:5.96,
#EXT-X-BYTERANGE:120000
film.mp4
#EXT-X-ENDLIST
"""
MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT0H0M12.0S">
 <BaseURL>dash/</BaseURL>
 <Period id="0" start="PT0S">
  <AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true">
   <Representation id="0" bandwidth="300000" width="320" height="180" codecs="avc1.42c00d">
    <SegmentTemplate timescale="12800" initialization="init-$RepresentationID$.m4s" media="chunk-$RepresentationID$-$Number%05d$.m4s" startNumber="1">
     <SegmentTimeline><S t="0" d="25600" r="5"/></SegmentTimeline>
    </SegmentTemplate>
   </Representation>
  </AdaptationSet>
  <AdaptationSet contentType="audio" lang="en" mimeType="audio/mp4"><Label>English</Label>
   <Representation id="1" bandwidth="64000" codecs="mp4a.40.2">
    <SegmentList timescale="1" duration="6"><Initialization sourceURL="i.mp4" range="0-700"/>
     <SegmentURL media="a.mp4" mediaRange="701-9000"/><SegmentURL media="a.mp4" mediaRange="9001-20000"/></SegmentList>
   </Representation>
  </AdaptationSet>
  <AdaptationSet mimeType="text/vtt" lang="ru"><Representation id="2"><BaseURL>ru.vtt</BaseURL></Representation></AdaptationSet>
 </Period>
</MPD>
"""  # noqa: E501 - as the packager writes it
LISTS = {"master": MASTER, "media": MEDIA, "locked": LOCKED, "ranges": RANGES, "mpd": MPD}

_ODD = (
    "", "0", "-1", "1e309", "nan", "9" * 30, "18446744073709551616", "0x", "%", "%00", "\x00", "\ufeff", "\u2028", "٣",
    "😀", '"', "'", "<", ">", "&#0;", "&lt;", "]]>", "<!--", "..", "../../../etc/passwd", "//", "///", "?", "#", "@",
    ":", "http://", "http://[", "file:///etc/passwd", "data:text/plain,x", "concat:a|b", "gopher://a/",
    "http://127.0.0.1:1/x", "http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest", "http://localhost/",
    "x" * 3000, "$Number$", "$Time%099d$", "$$", "PT1S", "PT999999999S", "P1M", "1@", "@1", "1@-1", "NONE",
    "SAMPLE-AES", "#EXT-X-ENDLIST", "#EXT-X-GAP", "#EXT-X-KEY:METHOD=AES-128", "#EXT-X-MAP:", "<Period>", "</Period>",
    'r="-1"', 'd="0"', 'd="1"',
)  # fmt: skip
_TOKEN = re.compile(r"[\w.$%-]+")


def mutated(text: str, chance: random.Random, *, odd: tuple[str, ...] = ()) -> str:
    """Return a list after up to six mishaps.

    Args:
        odd: further words that may be put in.
    """
    for _ in range(chance.randint(1, 6)):
        text = chance.choice(_MISHAPS)(text, chance, (*_ODD, *odd * 8))
    return text


def _token(text: str, chance: random.Random, odd: tuple[str, ...]) -> str:
    places = list(_TOKEN.finditer(text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + chance.choice(odd) + text[place.end() :]


def _line(text: str, chance: random.Random, odd: tuple[str, ...]) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    what = chance.randrange(4)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(at, chance.choice(lines))
    elif what == 2:
        lines[at] = chance.choice(odd)
    else:
        chance.shuffle(lines)
    return "\n".join(lines)


def _characters(text: str, chance: random.Random, odd: tuple[str, ...]) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(odd) + text[at + chance.randrange(8) :]


def _cut(text: str, chance: random.Random, _odd: tuple[str, ...]) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _ends(text: str, chance: random.Random, _odd: tuple[str, ...]) -> str:
    return chance.choice(("\ufeff", "", " \n")) + text.replace("\n", chance.choice(("\r\n", "\r", "\n \n", "\t\n")))


_MISHAPS = (_token, _token, _token, _line, _line, _characters, _cut, _ends)
