"""Find an address of an episode that plays: the source that played last, then by weight, each address tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_common.contracts.offers import OfferList
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.domain import finding
from kinodom_resolver.domain import playing as plays
from kinodom_resolver.domain.merging import plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.contracts.titles import SourceTitle, Translation
    from kinodom_resolver.domain.ports import Listed
    from kinodom_resolver.domain.questions import Asks

log = get_log(__name__)

WHOLE_S = 20.0  # no new address is tried after this
REASON_LIMIT = 200  # characters


class NoOfferPlays(UpstreamFailed):
    """There are addresses, and none of them plays. Facts: `source_<name>` says why, for each source."""

    code = "no_offer_plays"
    title = "Nothing of it plays right now"


class Probe(Protocol):
    """Looks at what an address gives."""

    def check(self, offer: Offer) -> None:
        """Return when it plays; raises KinodomError with the reason when it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Which episode is wanted, and where it may be."""

    external_ids: tuple[str, ...]  # of one title at several sources; the translation is the first one's
    season: int | None
    episode: int | None
    translation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is needed to find it."""

    listed: Sequence[Listed]
    wall: Asks
    deadline_s: float  # for each question to a source
    probe: Probe
    book: plays.PlayBook
    now: Callable[[], float]  # seconds since 1970


def playing(wanted: Episode, tools: Tools) -> OfferList:
    """Return a list with the first address that plays, and nothing else; an empty one when nobody has the episode.

    Raises:
        NoSuchSource: nobody here knows the ids.
        NoOfferPlays: there are addresses, or there may be, and none plays.
    """
    reasons: dict[str, str] = {}
    began_s = tools.now()
    for external_id in in_order(wanted, tools):
        name = finding.source_of(external_id, tools.listed)[1].name
        try:
            for offers in _rounds(external_id, wanted, tools):
                for offer in plays.in_order(offers, tools.book.of(external_id)).offers:
                    if tools.now() - began_s > WHOLE_S:
                        raise NoOfferPlays("There was no time left to try it.")  # as any other reason
                    reason = _fault(offer, tools)
                    tried = plays.Tried(at_s=tools.now(), played=reason is None)
                    tools.book.note(external_id, plays.mark_of(offer, offers.translation_id), tried)
                    if reason is None:
                        return offers.model_copy(update={"offers": (offer,)})
                    reasons[name] = reason
        except NotFound:
            continue
        except KinodomError as exc:
            reasons[name] = _reason(exc)
    if not reasons:
        first = wanted.external_ids[0]
        return OfferList(
            external_id=first, season=wanted.season, episode=wanted.episode, translation_id=wanted.translation_id
        )
    facts = {f"source_{name}": reason for name, reason in reasons.items()}
    raise NoOfferPlays(f"None of the addresses plays right now ({', '.join(reasons)}). Try again later.", **facts)


def in_order(wanted: Episode, tools: Tools) -> list[str]:
    """Return the ids in the order in which they are tried: what played last, then by weight; raises NoSuchSource.

    The one asked for first stands before others of its weight as long as nothing is known to have played.
    """
    ranked = []
    for place, external_id in enumerate(dict.fromkeys(wanted.external_ids)):
        try:
            row, _ = finding.source_of(external_id, tools.listed)
        except finding.NoSuchSource:
            continue
        played_s = plays.played_at_s(tools.book.of(external_id))
        ranked.append((-played_s, -row.weight, place, external_id))
    if not ranked:
        finding.source_of(wanted.external_ids[0], tools.listed)
    return [external_id for _, _, _, external_id in sorted(ranked)]


def translation_like(model: Translation | None, page: SourceTitle, wanted: Episode) -> str | None:
    """Return the id of the translation that is most like another source's; None: the page has not got the episode."""
    having = [
        one
        for one in page.translations
        if any((ref.season, ref.episode) == (wanted.season, wanted.episode) for ref in one.episodes)
    ]
    if model is not None:
        having.sort(key=lambda one: (plain_name(one.name) != plain_name(model.name), one.language != model.language))
    return having[0].translation_id if having else None


def _rounds(external_id: str, wanted: Episode, tools: Tools) -> Iterator[OfferList]:
    """Give the addresses at one source; kept ones are followed by fresh ones."""
    translation_id = _translation_at(external_id, wanted, tools)
    if translation_id is None:
        return
    for fresh in (False, True):
        offers = finding.offers(
            external_id, wanted.season, wanted.episode, translation_id,
            listed=tools.listed, wall=tools.wall, deadline_s=tools.deadline_s, fresh=fresh,
        )  # fmt: skip
        yield offers
        if offers.age_s is None:
            return


def _translation_at(external_id: str, wanted: Episode, tools: Tools) -> str | None:
    first = wanted.external_ids[0]
    if external_id == first:
        return wanted.translation_id
    page = finding.title(external_id, listed=tools.listed, wall=tools.wall, deadline_s=tools.deadline_s)
    try:
        ours = finding.title(first, listed=tools.listed, wall=tools.wall, deadline_s=tools.deadline_s)
        model = next((one for one in ours.translations if one.translation_id == wanted.translation_id), None)
    except KinodomError:
        model = None
    return translation_like(model, page, wanted)


def _fault(offer: Offer, tools: Tools) -> str | None:
    try:
        tools.probe.check(offer)
    except KinodomError as exc:
        log.info("offer_did_not_play", source=offer.source, code=exc.code)
        return _reason(exc)
    return None


def _reason(exc: KinodomError) -> str:
    return f"{exc.code}: {exc.detail}"[:REASON_LIMIT]
