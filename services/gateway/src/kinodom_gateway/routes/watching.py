"""Watching: the player's page and a press of Watch, for films that are there and films that are coming."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from kinodom_common.contracts.wishes import Wish
from kinodom_common.errors import NotFound
from kinodom_common.openapi import answer, body_of, describes
from kinodom_gateway import i18n
from kinodom_gateway.domain import watching
from kinodom_gateway.presenters.player import watch_view
from kinodom_gateway.routes import forms
from kinodom_gateway.routes.access import film_page, is_kept, link_for
from kinodom_gateway.viewer import csrf_token, viewer
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from kinodom_gateway.domain.watching import First

bp = Blueprint("watching", __name__)


@bp.get("/watch/<video_id>")
def watch(video_id: str) -> str:
    """Show the player."""
    page, video, is_there = film_page(video_id)
    seen, link = viewer(), link_for(video_id)
    whose = {"csrf": csrf_token(), "member_token": deps().gate.member_token(seen, seen.name), "viewer_name": seen.name}
    view = watch_view(page, video, link, is_there=is_there, keep=is_kept(video_id), **whose)
    return render_template("watch.html", page=view)


@bp.post("/watch")
def begin() -> Response:
    """Take a press of Watch and show the player, which begins while the film comes."""
    wish = _begun(forms.FirstForm.sent(request.form).first())
    return redirect(url_for("watching.watch", video_id=wish.wish_id), 303)


@bp.post("/wishes/<wish_id>/keep")
def keep(wish_id: str) -> Response:
    """Keep a film that was only watched so far, and go back to the player."""
    deps().downloader.keep(wish_id)
    return redirect(url_for("watching.watch", video_id=wish_id), 303)


@bp.post("/wishes/<wish_id>/holes")
def keep_with_holes(wish_id: str) -> Response:
    """Fetch a film without what no source has of it, and show the queue."""
    deps().downloader.keep_with_holes(wish_id)
    return redirect(url_for("pages.queue"), 303)


@bp.post("/api/v1/watch")
@describes(reply=Wish, status=202, body=forms.FirstForm, problems=("no_such_translation",))
def begin_by_api() -> Response:
    """Begin to fetch what somebody wants to see now; it plays at once under the id of its wish."""
    return answer(_begun(body_of(forms.FirstForm).first()), 202)


@bp.post("/api/v1/watch/neighbour")
@describes(reply=Wish, status=202, body=forms.NeighbourForm, problems=("no_such_video", "no_other_episode"))
def begin_neighbour() -> Response:
    """Begin the episode before or after a film, in the same dub, whether it is there or not."""
    form = body_of(forms.NeighbourForm)
    _page, video, _is_there = film_page(form.video_id)
    return answer(_begun(watching.neighbour(video, form.step, sources=deps().resolver)), 202)


@bp.post("/api/v1/wishes/<wish_id>/view")
@describes(status=204)
def view(wish_id: str) -> tuple[str, int]:
    """Say that this film is being watched; players do so each half minute, and so it stays."""
    with suppress(NotFound):  # a film whose wish was taken off the list stays in any case
        deps().downloader.view(wish_id)
    return "", 204


@bp.post("/api/v1/wishes/<wish_id>/keep")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def keep_by_api(wish_id: str) -> Response:
    """Keep a film that was only watched so far."""
    return answer(deps().downloader.keep(wish_id), 202)


@bp.post("/api/v1/wishes/<wish_id>/holes")
@describes(reply=Wish, status=202, problems=("no_such_wish", "nothing_missing"))
def keep_with_holes_by_api(wish_id: str) -> Response:
    """Fetch a film without what no source has of it: it is published with its holes."""
    return answer(deps().downloader.keep_with_holes(wish_id), 202)


def _begun(first: First) -> Wish:
    tools = deps()
    return watching.watch(
        first,
        viewer_id=viewer().viewer_id,
        language=i18n.language(),
        sources=tools.resolver,
        queue=tools.downloader,
    )
