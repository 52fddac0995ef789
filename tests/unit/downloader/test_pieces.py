"""The queue of pieces between the threads of a download."""

from __future__ import annotations

import threading

from kinodom_downloader.adapters.pieces import FIRST_AT_ONCE, LOOK_S, Job, Pieces


def jobs(count: int) -> list[Job]:
    return [Job(float(at), 0, at) for at in range(count)]


class Hours:
    """A clock, and what the process has used of a processor."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self.used_s = 3.0

    def pass_by(self, share: float) -> None:
        self.now_s += LOOK_S
        self.used_s += share * LOOK_S


def fetch_one_after_another(pieces: Pieces, hours: Hours, share: float, count: int) -> int:
    """Finish so many pieces while the process uses this share of a processor; return how many may be on their way."""
    for _ in range(count):
        job = pieces.take()
        assert job is not None
        hours.pass_by(share)
        pieces.done(job)
    return pieces.room()


def test_more_pieces_are_on_their_way_as_long_as_the_line_is_what_everything_waits_for() -> None:
    hours = Hours()
    pieces = Pieces(jobs(100), at_once=16, clock=lambda: hours.now_s, labour=lambda: hours.used_s)

    waiting = [fetch_one_after_another(pieces, hours, 0.3, count) for count in (1, 3, 20)]

    assert waiting == [FIRST_AT_ONCE + 1, FIRST_AT_ONCE + 4, 16]


def test_a_busy_processor_gets_no_more_pieces_at_once_and_fewer_again_when_it_had_more() -> None:
    hours = Hours()
    pieces = Pieces(jobs(100), at_once=16, clock=lambda: hours.now_s, labour=lambda: hours.used_s)

    from_the_first = fetch_one_after_another(pieces, hours, 0.95, 10)
    later = [fetch_one_after_another(pieces, hours, share, 6) for share in (0.3, 0.95)]

    assert from_the_first == FIRST_AT_ONCE
    assert later == [FIRST_AT_ONCE + 6, FIRST_AT_ONCE]


def test_fewer_than_the_first_few_stay_fewer_on_a_busy_processor() -> None:
    hours = Hours()
    pieces = Pieces(jobs(20), at_once=2, clock=lambda: hours.now_s, labour=lambda: hours.used_s)

    assert fetch_one_after_another(pieces, hours, 0.95, 5) == 2


def test_threads_that_wait_hear_of_the_end() -> None:
    pieces = Pieces(jobs(1), at_once=4)
    last = pieces.take()
    heard: list[Job | None] = []
    threads = [
        threading.Thread(target=lambda express: heard.append(pieces.take(express=express)), args=(express,))
        for express in (False, False, True)
    ]
    for thread in threads:
        thread.start()

    assert last is not None
    pieces.done(last)
    for thread in threads:
        thread.join(timeout=20)

    assert heard == [None, None, None]


def test_the_place_of_a_piece_that_somebody_waited_for_is_for_the_others_again() -> None:
    waiting = threading.Semaphore(0)

    def wait(condition: threading.Condition, pause_s: float | None) -> None:
        waiting.release()
        condition.wait(pause_s)

    pieces = Pieces(jobs(2), at_once=1, wait=wait)
    pieces.prefer(lambda job: -1.0 if job.index == 1 else job.urgency)
    heard: list[Job | None] = []
    other = threading.Thread(target=lambda: heard.append(pieces.take()))

    express = threading.Thread(target=lambda: pieces.take(express=True))

    job = pieces.take(express=True)
    other.start()
    assert job is not None
    assert waiting.acquire(timeout=20)  # the other one finds no place
    pieces.done(job)
    express.start()  # who finishes a piece asks for the next one
    other.join(timeout=20)
    pieces.stop()
    express.join(timeout=20)

    assert [job.index for job in heard if job] == [0]


def test_a_piece_that_goes_back_wakes_who_waits_for_one() -> None:
    pieces = Pieces(jobs(1), at_once=4)
    first = pieces.take()
    heard: list[Job | None] = []
    thread = threading.Thread(target=lambda: heard.append(pieces.take()))
    thread.start()

    assert first is not None
    pieces.again(first, after_s=0.01)
    thread.join(timeout=20)

    assert [job.index for job in heard if job] == [0]


def test_what_a_viewer_needs_next_is_handed_out_first() -> None:
    pieces = Pieces(jobs(10), at_once=10)

    first = pieces.take()
    pieces.prefer(lambda job: (job.urgency - 7) % 10)
    order = []
    while job := pieces.take():
        order.append(job.index)
        pieces.done(job)
        if len(order) == 9:
            break

    assert first is not None
    assert first.index == 0
    assert order == [7, 8, 9, 1, 2, 3, 4, 5, 6]


def test_what_somebody_waits_for_goes_out_beside_all_that_is_on_its_way() -> None:
    pieces = Pieces(jobs(10), at_once=2)
    under_way = [pieces.take(), pieces.take()]
    pieces.prefer(lambda job: -1.0 if job.index == 7 else job.urgency)

    waited_for = pieces.take(express=True)

    assert [job.index for job in under_way if job] == [0, 1]
    assert waited_for is not None
    assert waited_for.index == 7
    assert pieces.room() == 0


def test_a_crowded_host_gets_fewer_requests_at_once() -> None:
    pieces = Pieces(jobs(20), at_once=4)
    under_way = [pieces.take() for _ in range(4)]

    for job in under_way[:2]:
        assert job is not None
        pieces.again(job, after_s=100, crowded=True)

    assert pieces.room() == 0
