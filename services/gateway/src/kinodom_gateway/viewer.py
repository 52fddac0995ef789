"""Who looks at the page: a signed cookie until the house has accounts, and tokens against forged requests.

A script shows one of the operator's tokens instead of both; see `scripts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import MethodNotAllowed

from kinodom_common.errors import Forbidden
from kinodom_common.ids import new_id
from kinodom_common.members import MemberTokens
from kinodom_common.problems import not_known
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.scripts import API, BEARER, SCRIPT, ApiTokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

COOKIE = "viewer"
COOKIE_LIFE_S = 400 * 24 * 3600  # the longest a browser keeps one
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; media-src 'self' blob:; style-src 'self'; "
    "img-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class ForgedRequest(Forbidden):
    """A request that changes something did not come from a page of this house."""

    code = "forged_request"
    title = "This did not come from a page of the house"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody at a browser."""

    viewer_id: str
    cookie: str  # raw value; media links are signed over it
    fresh: bool  # the cookie was made for this answer

    @property
    def name(self) -> str:
        """Return a name to show others until the viewer gives one."""
        return name_of(self.viewer_id)


def name_of(viewer_id: str) -> str:
    """Return a name to show for a viewer until they give one."""
    if viewer_id.startswith(SCRIPT):
        return _("A script")
    return _("Guest %(letters)s", letters=viewer_id[:2].upper())


class Gate:
    """Signs and checks what browsers bring."""

    def __init__(self, session_key: str, member_key: str, api_tokens: str = "") -> None:
        self._cookies = URLSafeSerializer(session_key, salt="viewer")
        self._csrf = URLSafeSerializer(session_key, salt="csrf")
        self._members = MemberTokens(member_key)
        self._notes = URLSafeSerializer(session_key, salt="note")
        self.scripts = ApiTokens(api_tokens)

    def viewer(self, cookie: str | None) -> Viewer:
        """Return the viewer of a cookie; a missing or forged one makes a new viewer."""
        if cookie:
            try:
                viewer_id = self._cookies.loads(cookie)
            except BadSignature:
                viewer_id = None
            if isinstance(viewer_id, str):
                return Viewer(viewer_id=viewer_id, cookie=cookie, fresh=False)
        return self._come(new_id())

    def script(self, authorization: str) -> Viewer | None:
        """Return the viewer that a script with this header is; its cookie, for signed links, is always the same."""
        viewer_id = self.scripts.script(authorization)
        return self._come(viewer_id) if viewer_id else None

    def _come(self, viewer_id: str) -> Viewer:
        return Viewer(viewer_id=viewer_id, cookie=str(self._cookies.dumps(viewer_id)), fresh=True)

    def csrf(self, viewer: Viewer) -> str:
        """Return the token that forms and scripts of this viewer send along."""
        return str(self._csrf.dumps(viewer.viewer_id))

    def csrf_fits(self, token: str, viewer: Viewer) -> bool:
        """Tell whether a token was made for this viewer."""
        try:
            return bool(self._csrf.loads(token) == viewer.viewer_id)
        except BadSignature:
            return False

    def seal(self, note: Mapping[str, str]) -> str:
        """Return a note that a page carries in its address, so that nobody else can write one."""
        return str(self._notes.dumps(dict(note)))

    def unsealed(self, text: str) -> dict[str, str] | None:
        """Return a note that this house has sealed; None for any other text."""
        try:
            note: dict[str, str] = self._notes.loads(text)
        except BadSignature:
            return None
        return note

    def member_token(self, viewer: Viewer, name: str) -> str:
        """Return what a browser shows to sync: who it is, for a day."""
        return self._members.sign(viewer.viewer_id, name)


def viewer() -> Viewer:
    """Return the viewer of the current request."""
    found: Viewer = g.viewer
    return found


def csrf_token() -> str:
    """Return the token for forms of the current page."""
    gate: Gate = current_app.extensions["kinodom_gate"]
    return gate.csrf(viewer())


def guard(app: Flask, gate: Gate) -> None:
    """Know the viewer of each request, refuse forged ones, and send the headers that keep pages to themselves."""
    app.extensions["kinodom_gate"] = gate

    def leave(response: Response) -> Response:
        seen = g.get("viewer")
        if seen is not None and seen.fresh:
            response.set_cookie(
                COOKIE, seen.cookie, max_age=COOKIE_LIFE_S, httponly=True, samesite="Lax", secure=request.is_secure
            )
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CSP)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        headers.add("Vary", "Cookie")
        return response

    app.before_request(lambda: _enter(gate))
    app.after_request(leave)


def _enter(gate: Gate) -> Response | None:
    shown = request.headers.get("Authorization", "")
    if not (gate.scripts and shown.startswith(BEARER) and request.path.startswith(API)):
        _enter_from_page(gate)
        return None
    script = gate.script(shown)
    if script is None:
        return not_known(
            "token_unknown", "This token is not in KINODOM_API_TOKENS. Ask the operator of the house for one."
        )
    g.viewer = script
    return None


def _enter_from_page(gate: Gate) -> None:
    g.viewer = gate.viewer(request.cookies.get(COOKIE))
    if isinstance(request.routing_exception, MethodNotAllowed) or request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ForgedRequest("Another site sent this. Open the page of the house and press the button there.")
    token = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if g.viewer.fresh or not gate.csrf_fits(token, g.viewer):
        raise ForgedRequest("The page is too old, or cookies are off. Load the page again and repeat.")
