"""Feeds of videos: RSS, Atom, Media RSS. A pasted feed, or the operator's own list of feeds, as series."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_common.egress import OutsideNotFound, OutsideTooLarge
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_resolver.adapters.parsing import PARSER
from kinodom_resolver.sources.direct import clean_address
from kinodom_resolver.sources.feed_reading import ENDINGS, Feed, Item, read_feed
from kinodom_resolver.sources.reading import words_of
from kinodom_resolver.sources.side_by_side import PART_OF_DEADLINE, ask_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_resolver.domain.ports import Outside, QueryKind

MOST_BYTES: Final = 4_000_000
ORIGINAL: Final = "original"
ACCEPTED: Final = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8"
SAME_DAY: Final = 10_000
HIGHEST: Final = 99_999  # number of an episode that can be wished for


class FeedGarbled(UpstreamFailed):
    """Where a feed was, something else stands."""

    code = "feed_garbled"


class NoSuchFeed(NotFound):
    """The id names no feed, or the feed has no video."""

    code = "no_such_title"


class VideoFeed:
    """Feeds with videos, each a series; ids are `feed:<address, escaped>`.

    Args:
        feeds: addresses of the feeds that words are looked for in.
        outside: the way out.
        wait_s: how long a search waits for the feeds it asks.
    """

    name = "feed"
    label = "Video feeds"
    schemes = frozenset({"feed"})
    weight = 60
    reads: frozenset[QueryKind] = frozenset({"words", "address"})

    def __init__(self, feeds: Sequence[str], outside: Outside, *, wait_s: float = 3.4) -> None:
        self._feeds = feeds
        self._outside = outside
        self._wait_s = wait_s

    @classmethod
    def build(cls, options: Mapping[str, str], outside: Outside) -> Self:
        """Return the source; `feeds` names what is searched by words."""
        wait_s = float(options["search_deadline_s"]) * PART_OF_DEADLINE
        return cls([clean_address(one) for one in options.get("feeds", "").split()], outside, wait_s=wait_s)

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the feed at an address, or the operator's feeds whose name or an entry's holds all the words."""
        if "://" in query:
            return self._search_address(query)
        words = words_of(query)
        if not words or not self._feeds:
            return []
        found = ask_all([partial(self._listed_feed, address) for address in self._feeds], wait_s=self._wait_s)
        return [self._hit(address, feed) for address, feed in found if _fits(feed, words)]

    def title(self, external_id: str) -> SourceTitle:
        """Return a feed as a series with one version, the earliest episode first."""
        address, feed = self._feed(external_id)
        numbered = numbered_items(feed)
        episodes = (
            EpisodeRef(season=season, episode=number, name=item.title, duration_s=item.duration_s)
            for (season, number), item in numbered.items()
        )
        heights = {one.height_px for item in feed.items for one in item.media if one.height_px is not None}
        version = Translation(
            translation_id=ORIGINAL,
            name="Original",
            language=feed.language,
            heights_px=tuple(sorted(heights, reverse=True)),
            episodes=tuple(episodes),
        )
        return SourceTitle(source=self.name, card=_card(address, feed), translations=(version,))

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return the files and playlists of one entry, playlists first, then the highest."""
        if translation_id != ORIGINAL or season is None or episode is None:
            return []
        item = numbered_items(self._feed(external_id)[1]).get((season, episode))
        return self._offers(item) if item is not None else []

    def _search_address(self, query: str) -> Sequence[TitleHit]:
        try:
            address = clean_address(query)
        except Rejected:  # the source of typed addresses says what is wrong with it
            return []
        if urlsplit(address).path.rpartition(".")[2].lower() in ENDINGS:  # the video itself
            return []
        try:
            found = self._feed_at(address)[1]
        except (FeedGarbled, OutsideTooLarge):  # a page, or a film without an ending
            return []
        return [self._hit(address, found)] if found.items else []

    def _feed(self, external_id: str) -> tuple[str, Feed]:
        address = unquote(external_id.partition(":")[2])
        if clean_address(address) != address:
            raise NoSuchFeed("This is not an id of a feed. Search for its address again.")
        found = self._feed_at(address)
        if not found[1].items:
            raise NoSuchFeed("There is no video in this feed now.")
        return found

    def _listed_feed(self, address: str) -> tuple[str, Feed]:
        try:
            return self._feed_at(address)
        except OutsideNotFound as exc:
            raise FeedGarbled(f"{urlsplit(address).hostname}: the feed in KINODOM_FEEDS is gone.") from exc

    def _feed_at(self, address: str) -> tuple[str, Feed]:
        page = self._outside.get(address, headers={"Accept": ACCEPTED}, max_bytes=MOST_BYTES)
        feed = PARSER.run(read_feed, page.body, url=page.url)
        if feed is None:
            raise FeedGarbled(f"{urlsplit(address).hostname}: there is no feed at this address now.")
        return address, feed

    def _hit(self, address: str, feed: Feed) -> TitleHit:
        heights = {one.height_px for item in feed.items for one in item.media if one.height_px is not None}
        return TitleHit(
            **_card(address, feed).model_dump(),
            source=self.name,
            heights_px=tuple(sorted(heights, reverse=True)),
            episodes=len(feed.items),
        )

    def _offers(self, item: Item) -> list[Offer]:
        subtitles = tuple(SubtitleOffer(url=url, language=language) for url, language in item.subtitles)
        offers = []
        for one in item.media:
            try:
                offer = Offer(
                    source=self.name,
                    url=one.url,
                    delivery=one.delivery,
                    height_px=one.height_px,
                    size_bytes=one.size_bytes,
                    duration_s=one.duration_s,
                    subtitles=subtitles,
                )
            except ValidationError:
                continue
            offers.append(offer)
        return offers


def numbered_items(feed: Feed) -> dict[tuple[int, int], Item]:
    """Return the entries by season and episode, the earliest first.

    Numbers of the feed's own are taken when every entry has one and no two are the same. Else the season is the year
    and the episode the day (`315` is 15 March; a second one on that day `10315`): a feed that drops its oldest entries
    must not give their numbers to others. Without dates they are counted from the end of the feed.
    """
    own = {
        (1 if item.season is None else item.season, item.number): item for item in feed.items if item.number is not None
    }
    if len(own) == len(feed.items):
        return {key: own[key] for key in sorted(own)}
    dated = sorted((item for item in feed.items if item.date is not None), key=lambda item: _instant(item))
    if len(dated) < len(feed.items):
        return {(1, number): item for number, item in enumerate(reversed(feed.items), start=1)}
    days: Counter[tuple[int, int]] = Counter()
    numbered: dict[tuple[int, int], Item] = {}
    for item in dated:
        day = _day(item)
        number = day[1] + days[day] * SAME_DAY
        days[day] += 1
        if number <= HIGHEST:
            numbered[day[0], number] = item
    return numbered


def _instant(item: Item) -> float:
    return item.date.timestamp() if item.date is not None else 0.0


def _day(item: Item) -> tuple[int, int]:
    assert item.date is not None
    return item.date.year, item.date.month * 100 + item.date.day


def _fits(feed: Feed, words: Sequence[str]) -> bool:
    names = (f"{feed.title} {item.title or ''}".casefold() for item in feed.items)
    return any(all(word in name for word in words) for name in names)


def _card(address: str, feed: Feed) -> TitleCard:
    return TitleCard(
        external_id=f"feed:{quote(address, safe='')}",
        name=feed.title,
        kind="series",
        description=feed.description,
        poster_url=feed.picture_url,
        genres=feed.genres,
        licence=feed.licence,
    )
