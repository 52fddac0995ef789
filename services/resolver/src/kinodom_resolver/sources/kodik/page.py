"""What a player page of Kodik says. Errors count in its elements only: scripts of good pages hold them too."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from kinodom_common.contracts.titles import TranslationKind
from kinodom_resolver.sources.kodik.records import number_of
from kinodom_resolver.sources.reading import address_of, count_of, mapping_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNED: Final = ("d", "d_sign", "pd", "pd_sign", "ref", "ref_sign")
URL_PARAMS: Final = re.compile(r"\burlParams\s*=\s*'((?:[^'\\]|\\.){1,10000})'")
LOOSE: Final = re.compile(r"\bvar\s+(domain|d_sign|pd|pd_sign|ref|ref_sign)\s*=\s*[\"']([^\"']{0,2000})[\"']")
PLAYED: Final = re.compile(r"\b(?:vInfo|videoInfo)\.(type|hash|id)\s*=\s*[\"']([A-Za-z0-9]{1,64})[\"']")
SHOWN_ID: Final = re.compile(r"\btranslationId\s*=\s*(\d{1,9})")
SHOWN_TITLE: Final = re.compile(r"\btranslationTitle\s*=\s*\"([^\"]{1,200})\"")
COUNTRY: Final = re.compile(r"\bcountry\s*=\s*[\"']([A-Z]{2})[\"']")
SKIPS: Final = re.compile(r"\bparseSkipButton\(\s*[\"']([0-9:,.\s-]{0,500})[\"']")
SCRIPT: Final = re.compile(r"/app\.[a-z_]{1,40}\.[0-9a-f]{6,128}\.js$")
COUNT: Final = re.compile(r"\((?:(\d{1,5})\s*[-~]\s*)?(\d{1,5})\s*эп")
HASH: Final = re.compile(r"[0-9a-f]{16,64}")
POST_PATH: Final = re.compile(
    r"type\s*:\s*[\"']POST[\"']\s*,\s*url\s*:\s*atob\(\s*[\"']([A-Za-z0-9+/=]{4,200})[\"']\s*\)"
)
SAFE_PATH: Final = re.compile(r"/[A-Za-z0-9_-]{1,60}(/[A-Za-z0-9_-]{1,60}){0,3}")
DULL_TITLES: Final = frozenset({"", "kodik player", "kodik"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the video-info request asks for."""

    kind: str  # `seria` or `video`
    media_id: str
    media_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeOption:
    """One episode of the translation that the page shows."""

    season: int
    episode: int
    name: str | None
    played: Played


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonOption:
    """One season; it may be another serial at Kodik."""

    season: int
    path: str  # of its player page
    name: str | None
    translation_name: str | None
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationOption:
    """One voice in the page's list."""

    translation_id: str
    name: str
    kind: TranslationKind
    path: str | None  # of its player page; None: the page that it stands on
    episodes: tuple[int, int] | None  # first and last; None: a film, or not said
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerPage:
    """A player page, read."""

    url: str
    title: str | None
    signed: Mapping[str, str]  # empty: the page has none
    played: Played | None
    scripts: tuple[str, ...]  # addresses of those that may hold the player
    seasons: tuple[SeasonOption, ...]
    episodes: tuple[EpisodeOption, ...]
    translations: tuple[TranslationOption, ...]
    skips: tuple[tuple[float, float], ...]  # seconds
    country: str | None  # where Kodik takes us to be
    one_season: bool
    failure: str | None  # what the page says instead of playing


def page_of(body: bytes, *, url: str) -> PlayerPage:
    """Return what a page says; what it does not say is None or empty. Runs in a child."""
    soup = BeautifulSoup(body, "lxml", from_encoding="utf-8")
    code = "\n".join(script.get_text() for script in soup("script"))
    shown = tuple(_translations(soup))
    title = text_of(soup.title.get_text() if soup.title else None, longest=300)
    country = COUNTRY.search(code)
    episodes = {(one.season, one.episode): one for one in _episodes(soup)}
    return PlayerPage(
        url=url,
        title=title if title and title.lower() not in DULL_TITLES else None,
        signed=_signed(code),
        played=_played(code),
        scripts=tuple(_scripts(soup, url)),
        seasons=tuple(_seasons(soup)),
        episodes=tuple(episodes[key] for key in sorted(episodes)),
        translations=shown or tuple(_only_translation(code)),
        skips=skips_of(code),
        country=country[1] if country else None,
        one_season=soup.select_one(".hidden-seasons") is not None,
        failure=_failure(soup),
    )


def post_paths_in(body: bytes) -> list[str]:
    """Return the paths that a player's script posts to, unpacked; runs in a child."""
    found = (_unpacked(packed) for packed in POST_PATH.findall(body.decode("utf-8", "replace")))
    return [path for path in found if SAFE_PATH.fullmatch(path)][:5]


def skips_of(code: str) -> tuple[tuple[float, float], ...]:
    """Return the parts that the skip button leaves out; times are `SS`, `MM:SS`, `HH:MM:SS`; bad ones are dropped."""
    match = SKIPS.search(code)
    found = []
    for part in (match[1] if match else "").split(","):
        times = [_clock_s(time) for time in part.split("-")]
        if len(times) == 2 and times[0] is not None and times[1] is not None and times[0] < times[1]:
            found.append((times[0], times[1]))
    return tuple(sorted(found))


def _clock_s(text: str) -> float | None:
    pieces = text.strip().split(":")
    if not 1 <= len(pieces) <= 3 or not all(re.fullmatch(r"\d{1,5}(\.\d{1,6})?", piece) for piece in pieces):
        return None
    seconds = 0.0
    for piece in pieces:
        seconds = seconds * 60 + float(piece)
    return seconds


def _signed(code: str) -> Mapping[str, str]:
    match = URL_PARAMS.search(code)
    try:
        raw = mapping_of(json.loads(match[1].replace("\\'", "'"))) if match else {}
    except (ValueError, RecursionError):
        raw = {}
    loose = {("d" if name == "domain" else name): value for name, value in LOOSE.findall(code)}
    # In urlParams the referrer is percent-encoded, in the loose variables it is not.
    fields = {name: unquote(value) for name in SIGNED if isinstance(value := raw.get(name), str)}
    signed = {**loose, **fields}
    return signed if all(signed.get(name) for name in ("d", "d_sign", "pd", "pd_sign")) else {}


def _played(code: str) -> Played | None:
    said = dict(PLAYED.findall(code))
    if said.get("type") not in ("seria", "video") or "hash" not in said or "id" not in said:
        return None
    return Played(kind=said["type"], media_id=said["id"], media_hash=said["hash"])


def _scripts(soup: BeautifulSoup, url: str) -> Iterator[str]:
    for script in soup("script", src=True):
        address = address_of(url, script.get("src"))
        if address is not None and SCRIPT.search(urlsplit(address).path):
            yield address


def _seasons(soup: BeautifulSoup) -> Iterator[SeasonOption]:
    for option in soup.select("div.serial-seasons-box select option"):
        season = number_of(option.get("value"))
        path = _path("serial", option.get("data-serial-id"), option.get("data-serial-hash"))
        if season is not None and path is not None:
            yield SeasonOption(
                season=season,
                path=path,
                name=text_of(option.get("data-title"), longest=200),
                translation_name=text_of(option.get("data-translation-title"), longest=200),
                selected=option.has_attr("selected"),
            )


def _episodes(soup: BeautifulSoup) -> Iterator[EpisodeOption]:
    chosen = soup.select_one("div.serial-seasons-box select option[selected]")
    shown = number_of(chosen.get("value")) if chosen is not None else None
    for option in soup.select("div.serial-series-box select option"):
        yield from _episode(option, shown if shown is not None else 1)
    for box in soup.select("div.series-options > div"):
        for name in box.get_attribute_list("class"):
            season = number_of(str(name).removeprefix("season-"))
            for option in box("option") if season is not None else ():
                yield from _episode(option, season or 0)


def _episode(option: Tag, season: int) -> Iterator[EpisodeOption]:
    episode, media_id = number_of(option.get("value")), count_of(option.get("data-id"))
    media_hash = text_of(option.get("data-hash")) or ""
    if episode is not None and media_id is not None and HASH.fullmatch(media_hash):
        played = Played(kind="seria", media_id=str(media_id), media_hash=media_hash)
        name = text_of(option.get("data-title"), longest=200)
        yield EpisodeOption(season=season, episode=episode, name=name, played=played)


def _translations(soup: BeautifulSoup) -> Iterator[TranslationOption]:
    boxes = "div.serial-translations-box select option, div.movie-translations-box select option"
    for option in soup.select(boxes):
        number = count_of(option.get("data-id")) or count_of(option.get("value"))
        kind = text_of(option.get("data-media-type")) or ""
        path = _path(kind, option.get("data-media-id"), option.get("data-media-hash"))
        if number is None or path is None:
            continue
        text = option.get_text(strip=True)
        subtitles = option.get("data-translation-type") == "subtitles"
        yield TranslationOption(
            translation_id=str(number),
            name=text_of(option.get("data-title"), longest=200) or COUNT.split(text)[0].strip() or f"№ {number}",
            kind="subtitles" if subtitles else "voice",
            path=path,
            episodes=_range(text, option.get("data-episode-count")),
            selected=option.has_attr("selected"),
        )


def _only_translation(code: str) -> Iterator[TranslationOption]:
    """Give the voice of a page without a list: there is only one then."""
    number, name = SHOWN_ID.search(code), SHOWN_TITLE.search(code)
    if number is not None:
        title = name[1] if name else f"№ {number[1]}"
        kind: TranslationKind = "subtitles" if re.search(r"субтитр|subtitle|\bsub\b", title.lower()) else "voice"
        yield TranslationOption(
            translation_id=number[1], name=title, kind=kind, path=None, episodes=None, selected=True
        )


def _range(text: str, count: object) -> tuple[int, int] | None:
    if match := COUNT.search(text):
        first = int(match[1]) if match[1] is not None else 1
        return (first, int(match[2])) if first <= int(match[2]) else None
    number = count_of(count)
    return (1, number) if number is not None and number <= 99_999 else None


def _path(kind: str, media_id: object, media_hash: object) -> str | None:
    number, mark = count_of(media_id), text_of(media_hash) or ""
    good = kind in ("serial", "season", "seria", "video") and number is not None and HASH.fullmatch(mark)
    return f"/{kind}/{number}/{mark}/720p" if good else None


def _failure(soup: BeautifulSoup) -> str | None:
    box = soup.select_one("div.promo-error")
    if box is None:
        return None
    pieces = [one.get_text(" ", strip=True) for one in box.select(".message, .error-code")]
    return text_of(" ".join(piece for piece in pieces if piece), longest=200) or "no reason given"


def _unpacked(packed: str) -> str:
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
