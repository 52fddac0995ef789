"""The timeline of a room: where it is, and what an operation makes of it. Pure; times are room time, float ms.

`adapters/lua/op.lua` holds the same rules, because they must be checked and applied in one step inside Redis. A test
sends the same operations through both and compares what comes out: change one, change the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kinodom_common.contracts.rooms import AckStatus, Op, Vec

PAUSE_AHEAD_MS = 100.0  # a pause is scheduled: every member stops on the same frame
PAUSE_WINS_MS = 500.0  # a play that had not seen somebody else's pause this young loses to it
TAIL_MS = 100.0  # nothing is scheduled closer to the end of an item: players end instead of seeking there
ANSWER_KEPT_MS = 60_000.0  # how long the same opid gets the same answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The last pause of a room."""

    v: int
    by: str
    now_ms: float  # when it was asked for, not when it takes effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operation got."""

    status: AckStatus
    vec: Vec
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A room's timeline and what the rules remember beside it."""

    vec: Vec
    lengths_ms: Mapping[str, float]  # of every item the room may play
    speed: float = 1.0  # rate of the next play
    item_v: int = 0  # version at which the item last changed
    pause: Pause | None = None  # None: nobody has paused yet
    answers: Mapping[tuple[str, str], tuple[float, Answer]] = field(default_factory=dict)  # (by, opid) → (at ms, …)


def rounded(value_ms: float) -> float:
    """Return a time cut to whole microseconds, as it is stored and sent."""
    return math.floor(value_ms * 1000 + 0.5) / 1000


def position_at(vec: Vec, now_ms: float, duration_ms: float) -> float:
    """Return the position at a moment, held inside [0, duration_ms]."""
    position = vec.pos_ms + max(0.0, now_ms - vec.at_ms) * vec.rate
    return min(max(position, 0.0), duration_ms)


def held(position_ms: float, duration_ms: float) -> float:
    """Return a position that an operation may set: not beyond 100 ms before the end."""
    return rounded(min(max(position_ms, 0.0), max(0.0, duration_ms - TAIL_MS)))


def apply(line: Timeline, op: Op, *, by: str, now_ms: float) -> tuple[Timeline, Answer]:
    """Return the timeline after an operation, and the answer for its sender.

    A refused operation changes nothing but the memory of answers: the same `opid` from the same member within a
    minute gets the first answer again, as `duplicate` if it had been applied.

    Args:
        line: the room before.
        op: what was asked; its shape is already checked.
        by: member who asks.
        now_ms: room time.
    """
    known = line.answers.get((by, op.opid))
    if known is not None and now_ms - known[0] < ANSWER_KEPT_MS:
        first = known[1]
        return line, replace(first, status="duplicate" if first.status == "applied" else first.status)
    refusal = _refusal(line, op, by, now_ms)
    if refusal is None:
        line = _applied(line, op, by, now_ms)
        answer = Answer(status="applied", vec=line.vec)
    else:
        answer = Answer(status=refusal[0], vec=line.vec, detail=refusal[1])
    return replace(line, answers={**line.answers, (by, op.opid): (now_ms, answer)}), answer


def _refusal(line: Timeline, op: Op, by: str, now_ms: float) -> tuple[AckStatus, str] | None:
    if op.epoch != line.vec.epoch:
        return "stale", "epoch"
    if op.kind == "item":
        if op.item is None or op.item not in line.lengths_ms:
            return "invalid", "item"
        if op.base_v < line.item_v:
            return "stale", "item"
    if op.kind == "seek" and op.pos_ms is None:
        return "invalid", "pos_ms"
    if op.kind == "rate" and op.rate is None:
        return "invalid", "rate"
    if op.kind == "play" and _pause_wins(line.pause, op.base_v, by, now_ms):
        return "stale", "pause"
    return None


def _pause_wins(pause: Pause | None, base_v: int, by: str, now_ms: float) -> bool:
    return pause is not None and base_v < pause.v and by != pause.by and now_ms - pause.now_ms < PAUSE_WINS_MS


def _applied(line: Timeline, op: Op, by: str, now_ms: float) -> Timeline:
    vec, v = line.vec, line.vec.v + 1
    speed = rounded(op.rate) if op.rate is not None and op.kind in ("play", "rate") else line.speed
    item = op.item if op.kind == "item" and op.item is not None else vec.item
    pos_ms, rate, at_ms = _motion(vec, op, speed, line.lengths_ms[vec.item], now_ms)
    moved = Vec(
        epoch=vec.epoch,
        v=v,
        item=item,
        pos_ms=held(pos_ms, line.lengths_ms[item]),
        rate=rate,
        at_ms=rounded(at_ms),
        by=by,
        op=op.kind,
    )
    return replace(
        line,
        vec=moved,
        speed=speed,
        item_v=v if op.kind == "item" else line.item_v,
        pause=Pause(v=v, by=by, now_ms=now_ms) if op.kind == "pause" else line.pause,
    )


def _motion(vec: Vec, op: Op, speed: float, duration_ms: float, now_ms: float) -> tuple[float, float, float]:
    """Return (position, rate, moment) after an operation.

    What jumps while it plays, or starts, is scheduled `lead_ms` ahead, so that all members seek first and start
    together. What does not jump goes on from where the room is; a start that is still to come stays where it is.
    """
    if op.kind == "pause":
        at_ms = now_ms + PAUSE_AHEAD_MS
        return position_at(vec, at_ms, duration_ms), 0.0, at_ms
    playing = vec.rate > 0
    rate = speed if op.kind == "play" or playing else 0.0
    jumps = op.kind in ("seek", "item") or (op.kind == "play" and (op.pos_ms is not None or not playing))
    if jumps:
        here_ms = 0.0 if op.kind == "item" else position_at(vec, now_ms, duration_ms)
        pos_ms = op.pos_ms if op.pos_ms is not None else here_ms
        return pos_ms, rate, now_ms + op.lead_ms if rate > 0 else now_ms
    if now_ms < vec.at_ms:
        return vec.pos_ms, rate, vec.at_ms
    return position_at(vec, now_ms, duration_ms), rate, now_ms
