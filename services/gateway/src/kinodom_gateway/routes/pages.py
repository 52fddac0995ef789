"""Pages. Each reads and sends without a script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from kinodom_common.errors import KinodomError
from kinodom_common.openapi import form_of, lines, query_of
from kinodom_gateway import i18n
from kinodom_gateway.domain import downloading, finding, shelving, wishing
from kinodom_gateway.domain.finding import Seen, side_by_side
from kinodom_gateway.presenters import downloads, remakes, shelf, titles
from kinodom_gateway.presenters import search as searching
from kinodom_gateway.routes.access import just_removed, title_known
from kinodom_gateway.routes.forms import ActForm, AddressForm, LanguageForm, SearchPageQuery, SearchQuery, WishForm
from kinodom_gateway.viewer import name_of, viewer
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from kinodom_common.contracts.wishes import QueueStatus, Wish
    from kinodom_gateway.presenters.search import SearchView

bp = Blueprint("pages", __name__)
NEW_ON_HOME = 24
SHOWN_IN_LINE, SHOWN_DONE = 200, 12
LONGEST_NOTE = 3000  # characters: a request line may have 4094
LIVE_COOKIE = "live"  # set by the page's script: it can read a search line by line


@bp.get("/")
def home() -> str:
    """Show what is new, what is coming, and who watches together."""
    tools = deps()
    newest = tools.catalogue.titles(limit=NEW_ON_HOME)
    coming, rooms = side_by_side(lambda: tools.downloader.wishes(limit=50), tools.sync.rooms, wait_s=2.0)
    view = shelf.home_view(newest, coming, rooms, removed_id=just_removed())
    return render_template("home.html", page=view)


@bp.get("/search")
def search() -> str:
    """Show what the house has and what sources offer; a browser with scripts reads the latter line by line."""
    query = query_of(SearchPageQuery)
    live = request.cookies.get(LIVE_COOKIE) == "1" and not query.whole
    view = (_begun(query.q) if live else None) or _whole(query.q)
    return render_template("search.html", page=view)


def _begun(query: str) -> SearchView | None:
    tools = deps()
    wait_s = tools.settings.search_wait_s
    begun = finding.begin(query, shelf=tools.catalogue, sources=tools.resolver, wait_s=wait_s)
    return searching.begun_view(begun) if begun else None


def _whole(query: str) -> SearchView:
    tools = deps()
    wait_s = tools.settings.search_wait_s
    return searching.search_view(finding.search(query, shelf=tools.catalogue, sources=tools.resolver, wait_s=wait_s))


@bp.get("/search/lines")
def search_lines() -> Response:
    """Tell what each source adds to the search page, on a line of its own as it answers."""
    tools, query = deps(), query_of(SearchQuery).q
    told = finding.away_lines(query, sources=tools.resolver)
    known = searching.known_ids(finding.at_home(query, shelf=tools.catalogue))
    return lines(searching.page_lines(told, known=known))


@bp.get("/titles/<title_id>")
def title(title_id: str) -> str:
    """Show a title of the house."""
    tools = deps()
    seen = finding.open_title(
        title_id, shelf=tools.catalogue, sources=tools.resolver, queue=tools.downloader, wait_s=6.0
    )
    return _title_page(seen)


@bp.get("/find/<path:external_id>")
def external(external_id: str) -> str:
    """Show a title of a source, in the house or not."""
    tools = deps()
    known = title_known(external_id)
    seen = finding.open_external(external_id, home=known, sources=tools.resolver, queue=tools.downloader, wait_s=6.0)
    return _title_page(seen)


def _title_page(seen: Seen) -> str:
    view = titles.title_view(seen, dub=request.args.get("dub"), removed_id=just_removed())
    return render_template("title.html", page=view)


@bp.post("/wishes")
def make_wish() -> Response:
    """Take a press of Download and show the queue."""
    tools, form = deps(), WishForm.sent(request.form)
    wishing.wish(
        form.choice(), viewer_id=viewer().viewer_id, sources=tools.resolver, queue=tools.downloader, whole=True
    )
    return redirect(url_for("pages.queue"), 303)


@bp.post("/demo")
def demo() -> Response:
    """Take the press of the demo button on the empty home page."""
    tools = deps()
    wishing.make_demo(viewer_id=viewer().viewer_id, sources=tools.resolver, queue=tools.downloader)
    return redirect(url_for("pages.queue"), 303)


@bp.get("/downloads")
def queue() -> str:
    """Show the queue; without the catalogue it has no pictures, without the disk no word about it."""
    left = deps().gate.unsealed(request.args.get("left", ""))
    return render_template("downloads.html", page=_downloads_view(), remakes=_remakes(), left=left)


def _remakes() -> tuple[remakes.RemakeRow, ...]:
    try:
        return remakes.remake_rows(deps().downloader.renditions().renditions)
    except KinodomError:
        return ()


def _downloads_view() -> downloads.DownloadsView:
    tools = deps()
    line = tools.downloader.wishes(part="line", limit=SHOWN_IN_LINE).wishes
    done = tools.downloader.wishes(part="done", limit=SHOWN_DONE).wishes
    shelved, disk = side_by_side(lambda: tools.catalogue.titles(limit=200), tools.downloader.disk, wait_s=3.0)
    titles = () if isinstance(shelved, KinodomError) else shelved.titles
    room = None if isinstance(disk, KinodomError) else disk
    behind = _in_line(tools.downloader.queue()) - len(line) if len(line) == SHOWN_IN_LINE else 0
    return downloads.downloads_view(line, done, titles, room, behind=behind, eyes=_eyes(line))


def _in_line(queue: QueueStatus) -> int:
    return queue.wanted + queue.running + queue.waiting + queue.paused + queue.refused


def _eyes(line: Sequence[Wish]) -> downloads.Eyes:
    names = {wish.request.asked_by: name_of(wish.request.asked_by) for wish in line if wish.request.asked_by}
    return downloads.Eyes(viewer_id=viewer().viewer_id, names=names, now=datetime.fromtimestamp(deps().clock(), tz=UTC))


@bp.post("/downloads")
def add_by_address() -> Response:
    """Take an address: a film is begun at once, of a series the episodes are chosen on its page."""
    tools, form = deps(), form_of(AddressForm, {"address": request.form.get("address", "").strip()})
    page = shelving.at_source(form.address, None, sources=tools.resolver)
    if downloading.is_one_film(page):
        choice = wishing.Choice(external_id=page.card.external_id, translation_id=None)
        wishing.wish(choice, viewer_id=viewer().viewer_id, sources=tools.resolver, queue=tools.downloader)
        return redirect(url_for("pages.queue"), 303)
    return redirect(url_for("pages.external", external_id=page.card.external_id), 303)


@bp.post("/downloads/all")
def change_all() -> Response:
    """Try all stopped wishes again, pause all, or let all go on."""
    deps().downloader.change_all(form_of(ActForm, {"act": request.form.get("act")}).act)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/wishes/<wish_id>/retry")
def retry(wish_id: str) -> Response:
    """Let a stopped wish try again."""
    deps().downloader.retry(wish_id)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/renditions/<video_id>/retry")
def retry_rendition(video_id: str) -> Response:
    """Let a further quality of a film that was given up try again."""
    deps().downloader.retry_rendition(video_id)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/wishes/<wish_id>/pause")
def pause(wish_id: str) -> Response:
    """Pause a wish."""
    deps().downloader.pause(wish_id)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/wishes/<wish_id>/resume")
def resume(wish_id: str) -> Response:
    """Let a paused wish go on."""
    deps().downloader.resume(wish_id)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/wishes/<wish_id>/move")
def move(wish_id: str) -> Response:
    """Put a wish before another one in the queue; an empty `before` is behind all."""
    deps().downloader.move(wish_id, request.form.get("before") or None)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/wishes/<wish_id>/forget")
def forget(wish_id: str) -> Response:
    """Take a wish off the list; one that runs is cancelled."""
    tools = deps()
    wish = tools.downloader.one(wish_id)
    tools.downloader.forget(wish_id)
    note = tools.gate.seal(downloads.left_note(wish))
    return redirect(url_for("pages.queue", left=note if len(note) <= LONGEST_NOTE else None), 303)


@bp.post("/language")
def choose_language() -> Response:
    """Keep the language that a person chose, in a cookie, and go back to the page."""
    form = form_of(LanguageForm, {name: value for name, value in request.form.items() if name in ("language", "back")})
    answer = redirect(form.back, 303)
    answer.set_cookie(
        i18n.COOKIE, form.language, i18n.COOKIE_LIFE_S, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return answer
