"""The one HTTP client between the services of the house. What lies outside goes through `egress`."""

from __future__ import annotations

import random
import time
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn, TypeVar

import requests  # noqa: TID251  # this module is the door
from pydantic import BaseModel, ValidationError
from requests.adapters import HTTPAdapter  # noqa: TID251  # this module is the door

from kinodom_common.contracts.problems import Problem
from kinodom_common.errors import Conflict, Forbidden, KinodomError, NoSpace, NotFound, Rejected, UpstreamFailed
from kinodom_common.logs import REQUEST_ID_HEADER, request_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Model = TypeVar("Model", bound=BaseModel)
Params = "Mapping[str, str | int | float | None]"
FAMILY_OF_STATUS: dict[int, type[KinodomError]] = {
    400: Rejected,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    507: NoSpace,
}
TRIES = 3  # of calls that may be repeated: GET, PUT, DELETE
RETRY_STATUS = frozenset({502, 503, 504})  # without a problem document: with one, the service has made up its mind


class ServiceSilent(UpstreamFailed):
    """A service of the house did not answer, or not in its contract's words."""

    code = "service_silent"
    title = "A part of the house does not answer"


class HttpClient:
    """Calls to one service, with time limits, repeated when that is safe, errors as ours.

    Args:
        peer: name of the service, for logs and words.
        base_url: such as `http://resolver:8000`.
        inner_key: shown as a bearer key.
        timeout_s: for the whole call with its repetitions, as long as a begun answer goes on coming.
    """

    def __init__(self, peer: str, base_url: str, *, inner_key: str, timeout_s: float = 5.0) -> None:
        self._peer = peer
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {inner_key}"
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=16)
        self._session.mount("http://", adapter)

    def get(self, path: str, model: type[Model], *, params: Mapping[str, object] | None = None) -> Model:
        """Return what the service holds under this path."""
        return self._read(self._call("GET", path, params=params), path, model)

    def lines(self, path: str, model: type[Model], *, params: Mapping[str, object] | None = None) -> Iterator[Model]:
        """Return what the service tells line by line, as it comes; errors before the first line are raised at once."""
        reply = self._call("GET", path, params=params, stream=True)

        def told() -> Iterator[Model]:
            with closing(reply):
                try:
                    for line in reply.iter_lines():
                        yield model.model_validate_json(line)
                except (requests.RequestException, ValidationError) as exc:
                    raise ServiceSilent(f"The {self._peer} broke off in the middle.", peer=self._peer) from exc

        return told()

    def post(self, path: str, body: BaseModel | None, model: type[Model]) -> Model:
        """Return the service's answer to a request that is sent once."""
        return self._read(self._call("POST", path, body=body), path, model)

    def tell(self, path: str, body: BaseModel) -> None:
        """Send something that needs no answer, once."""
        self._call("POST", path, body=body)

    def put(self, path: str, body: BaseModel, model: type[Model]) -> Model:
        """Return the service's answer to a state that may be sent again."""
        return self._read(self._call("PUT", path, body=body), path, model)

    def delete(self, path: str) -> None:
        """Delete what is under this path; raises NotFound when nothing was there."""
        self._call("DELETE", path)

    def remove(self, path: str, model: type[Model]) -> Model:
        """Delete what is under this path and return what the service says of it."""
        return self._read(self._call("DELETE", path), path, model)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: BaseModel | None = None,
        stream: bool = False,
    ) -> requests.Response:
        tries = 1 if method == "POST" else TRIES
        ends_s = time.monotonic() + self._timeout_s
        for attempt in range(1, tries + 1):
            pause_s = random.uniform(0.05, 0.2) * attempt  # noqa: S311  # jitter, not a secret
            try:
                reply = self._send(method, path, params, body, left_s=ends_s - time.monotonic(), stream=stream)
            except requests.RequestException as exc:
                if attempt == tries or time.monotonic() + pause_s >= ends_s:
                    raise ServiceSilent(
                        f"The {self._peer} does not answer. It may be starting; try again in a few seconds.",
                        peer=self._peer,
                    ) from exc
            else:
                again = reply.status_code in RETRY_STATUS and not _is_problem(reply)
                if not again or attempt == tries or time.monotonic() + pause_s >= ends_s:
                    return self._checked(reply, path)
            time.sleep(pause_s)
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        body: BaseModel | None,
        *,
        left_s: float,
        stream: bool,
    ) -> requests.Response:
        return self._session.request(
            method,
            f"{self._base}{path}",
            params={name: str(value) for name, value in (params or {}).items() if value is not None},
            data=body.model_dump_json().encode() if body is not None else None,
            headers=self._headers(with_body=body is not None),
            timeout=(min(2.0, left_s), left_s),
            allow_redirects=False,
            stream=stream,
        )

    def _headers(self, *, with_body: bool) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if with_body else {}
        if request_id():
            headers[REQUEST_ID_HEADER] = request_id()
        return headers

    def _checked(self, reply: requests.Response, path: str) -> requests.Response:
        if reply.status_code < 300:
            return reply
        if _is_problem(reply):
            self._raise(reply)
        raise ServiceSilent(f"The {self._peer} answered {reply.status_code} to {path}.", peer=self._peer)

    def _raise(self, reply: requests.Response) -> NoReturn:
        try:
            problem = Problem.model_validate_json(reply.content)
        except ValidationError as exc:
            raise ServiceSilent(f"The {self._peer} sent a problem nobody can read.", peer=self._peer) from exc
        family = FAMILY_OF_STATUS.get(reply.status_code, UpstreamFailed)
        raise remote_error(family, problem)

    def _read(self, reply: requests.Response, path: str, model: type[Model]) -> Model:
        try:
            return model.model_validate_json(reply.content)
        except ValidationError as exc:
            raise ServiceSilent(
                f"The {self._peer} answered {path} in a shape that is not its contract.", peer=self._peer
            ) from exc


def remote_error(family: type[KinodomError], problem: Problem) -> KinodomError:
    """Return an error of this family that keeps the code, title and words which the other service gave."""
    leaf = type(family.__name__, (family,), {"code": problem.code, "title": problem.title})
    facts = {name: value for name, value in (problem.model_extra or {}).items() if _plain(value)}
    error: KinodomError = leaf(problem.detail, **facts)
    return error


def _is_problem(reply: requests.Response) -> bool:
    return reply.headers.get("Content-Type", "").startswith("application/problem+json")


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
