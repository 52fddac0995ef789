"""The frame of every web service: request ids, logs, problems, health, metrics, the inner key."""

from __future__ import annotations

import hmac
import re
import time
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from kinodom_common import openapi
from kinodom_common.errors import KinodomError
from kinodom_common.ids import new_request_id
from kinodom_common.logs import REQUEST_ID_HEADER, get_log, request_id, set_up_logs
from kinodom_common.problems import not_known, register_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_common.settings import CommonSettings

log = get_log(__name__)

BODY_LIMIT_BYTES = 256 * 1024
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def base_app(
    name: str,
    settings: CommonSettings,
    *,
    ready: Mapping[str, Callable[[], None]],
    inner: bool = True,
    import_name: str | None = None,
) -> Flask:
    """Return a Flask app with everything that all services have in common.

    Args:
        name: of the service, as it stands in logs and metrics.
        settings: read once by the caller.
        ready: what the service needs in order to work; each function returns, or raises a `KinodomError`.
        inner: callers must show the house's inner key. The gateway alone is open to browsers.
        import_name: package whose templates and static files are used; the service's name by default.
    """
    set_up_logs(name, settings.log_level)
    app = Flask(import_name or f"kinodom_{name}", static_folder=None)
    app.name = name
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    register_problems(app)
    app.before_request(_begin)
    if inner:
        app.before_request(_key_check(settings.inner_key.get_secret_value()))
    app.after_request(_end)
    app.teardown_request(_forget)
    _add_health(app, ready)
    _add_metrics(app)
    return app


def _begin() -> None:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    value = given if REQUEST_ID.fullmatch(given) else new_request_id()
    structlog.contextvars.bind_contextvars(request_id=value)
    g.began_s = time.monotonic()


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = request_id()
    took_s = time.monotonic() - g.get("began_s", time.monotonic())
    if request.path not in OPEN_PATHS:
        log.info(
            "request_served",
            method=request.method,
            path=request.path,
            status=response.status_code,
            took_ms=round(took_s * 1000),
        )
    return response


def _forget(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")  # the thread serves others


def _key_check(inner_key: str) -> Callable[[], Response | None]:
    expected = f"Bearer {inner_key}"

    def check() -> Response | None:
        if request.path in OPEN_PATHS:
            return None
        if hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            return None
        return not_known(
            "key_missing",
            "This door is for the services of the house. Browsers go through the address of the house.",
        )

    return check


def _add_health(app: Flask, ready: Mapping[str, Callable[[], None]]) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """Say that the process is alive."""
        return jsonify(status="alive", service=app.name)

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Say whether the service can work, and name what is missing."""
        missing = {}
        for part, check in ready.items():
            try:
                check()
            except KinodomError as exc:
                missing[part] = exc.detail
        return jsonify(status="missing" if missing else "ready", missing=missing), 503 if missing else 200

    @app.get("/openapi.json")
    def openapi_document() -> Response:
        """Give this document."""
        return jsonify(openapi.document(app))


def _add_metrics(app: Flask) -> None:
    registry = CollectorRegistry()
    app.extensions["kinodom_metrics"] = registry
    requests_total = Counter(
        "kinodom_requests_total", "Requests served.", ["service", "route", "method", "status"], registry=registry
    )
    seconds = Histogram("kinodom_request_seconds", "Time to answer, seconds.", ["service", "route"], registry=registry)

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        method = request.method if request.method in METHODS else "other"  # else anybody adds rows
        requests_total.labels(app.name, route, method, str(response.status_code)).inc()
        seconds.labels(app.name, route).observe(time.monotonic() - g.get("began_s", time.monotonic()))
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        """Give Prometheus its figures; Nginx does not publish this."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
