"""The WebSocket of engine.io on gevent, with the bounds it lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engineio.async_drivers.gevent import WebSocketWSGI  # type: ignore[import-untyped]  # it has no types
from gevent.lock import BoundedSemaphore

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_LIMIT_BYTES = 4096
PACKET_TYPES = "0123456"  # of engine.io


class SocketJson:
    """JSON of the packets: letters as they are, a third of the bytes for Cyrillic; too deep is not JSON."""

    @staticmethod
    def dumps(value: object, **options: Any) -> str:
        """Return the text of a value."""
        text = json.dumps(value, ensure_ascii=False, **options)
        # Half a surrogate pair, which somebody may have sent in a name of a field, has no UTF-8.
        return text if text.isascii() or _is_utf8(text) else json.dumps(value, **options)

    @staticmethod
    def loads(text: str | bytes, **options: Any) -> object:
        """Return the value of a text; raises ValueError."""
        try:
            return json.loads(text, **options)
        except RecursionError as exc:
            raise ValueError("nested too deep") from exc


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class WholeSends:
    """A socket whose `send` sends everything, one message after the other.

    simple-websocket calls `send` and takes for granted that all went out; on gevent a full buffer makes it send a
    part, and the rest of the frame would be lost.
    """

    def __init__(self, line: Any) -> None:
        self._line = line
        self._turn = BoundedSemaphore()

    def send(self, frame: bytes) -> int:
        """Send a whole frame, after the one that is under way."""
        with self._turn:
            self._line.sendall(frame)
        return len(frame)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)


class BoundedWebSocket(WebSocketWSGI):  # type: ignore[misc]  # the base has no types
    """A WebSocket that closes with 1009 as soon as a message grows over 4 KB, instead of collecting it first."""

    def __init__(self, handler: Callable[..., object], server: object) -> None:
        super().__init__(handler, server)
        self.server_args["max_message_size"] = MESSAGE_LIMIT_BYTES

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> object:
        """Serve one connection until it closes."""
        line = environ.get("gunicorn.socket")
        if line is not None:
            environ = {**environ, "gunicorn.socket": WholeSends(line)}
        return super().__call__(environ, start_response)

    def wait(self) -> str | bytes | None:
        """Return the next message; None: the connection is over, or sends what engine.io would stumble over."""
        message: str | bytes | None = super().wait()
        odd = not message or (isinstance(message, str) and message[0] not in PACKET_TYPES)
        return None if odd else message
