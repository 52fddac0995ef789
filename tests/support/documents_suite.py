"""What every engine of the store must do. Subclasses give a fixture `url` with the address of an empty database."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kinodom_common.store import (
    AlreadyThere,
    Document,
    Documents,
    NotStored,
    Range,
    Stale,
    Store,
    Unstorable,
    change,
    open_store,
)
from kinodom_common.store.migrations import Clock, SchemaTooNew, migrate
from tests.support import store_racers

PROCESSES = 8


def race(work: Any, url: str) -> list[Any]:
    """Return what eight processes made of the same work at the same time."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    racers = [context.Process(target=work, args=(url, n, barrier, results)) for n in range(PROCESSES)]
    for racer in racers:
        racer.start()
    answers = [results.get(timeout=90) for _ in racers]
    for racer in racers:
        racer.join(30)
    assert [racer.exitcode for racer in racers] == [0] * PROCESSES
    return answers


class DocumentsSuite:
    """The behaviour of `Documents`, told once."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = open_store(url)
        yield store
        store.close()

    @pytest.fixture
    def documents(self, store: Store) -> Documents:
        return store.collection("things", indexed=("state", "rank"), unique=("slug",))

    def filled(self, documents: Documents, **fields: object) -> list[str]:
        """Insert one document for each pair of id and rank; return the ids."""
        for document_id, rank in fields.items():
            documents.insert({"_id": document_id, "rank": rank})
        return list(fields)

    def ids(self, found: list[Document]) -> list[str]:
        return [document["_id"] for document in found]

    def test_ping_answers(self, store: Store) -> None:
        store.ping()

    def test_a_new_document_has_version_1_and_comes_back_as_it_was(self, documents: Documents) -> None:
        document = {
            "_id": "a/b:ё",
            "slug": "ё",
            "text": 'quote " newline \n ünï 日本 😀',
            "flag": True,
            "big": 2**53 + 1,
            "huge": -(2**63),
            "share": 0.1,
            "whole": 1.0,
            "list": [1, None, {"deep": [[]]}],
            "nothing": None,
        }

        inserted = documents.insert(document)

        assert inserted == {**document, "version": 1}
        assert documents.get("a/b:ё") == inserted
        assert json.dumps(documents.get("a/b:ё"), sort_keys=True) == json.dumps(inserted, sort_keys=True)

    def test_a_document_that_is_not_there_is_none(self, documents: Documents) -> None:
        assert documents.get("nobody") is None

    def test_an_id_that_is_taken_is_already_there(self, documents: Documents) -> None:
        documents.insert({"_id": "a", "n": 1})

        with pytest.raises(AlreadyThere) as caught:
            documents.insert({"_id": "a", "n": 2})

        assert (caught.value.code, caught.value.field) == ("already_there", "_id")
        stored = documents.get("a")
        assert stored is not None
        assert stored["n"] == 1

    def test_a_unique_value_that_is_taken_is_already_there(self, documents: Documents) -> None:
        documents.insert({"_id": "a", "slug": "x"})
        documents.insert({"_id": "b", "slug": "y"})

        with pytest.raises(AlreadyThere) as inserted:
            documents.insert({"_id": "c", "slug": "x"})
        with pytest.raises(AlreadyThere) as replaced:
            documents.replace({"_id": "b", "slug": "x"}, 1)

        assert (inserted.value.field, replaced.value.field) == ("slug", "slug")

    def test_documents_without_the_unique_field_do_not_meet(self, documents: Documents) -> None:
        documents.insert({"_id": "a"})
        documents.insert({"_id": "b", "slug": None})
        documents.insert({"_id": "c", "slug": None})

        assert [document["slug"] for document in documents.find(sort=("_id",))] == [None, None, None]
        assert documents.count({"slug": None}) == 3

    def test_a_replacement_counts_the_version_up(self, documents: Documents) -> None:
        documents.insert({"_id": "a", "old": 1})

        replaced = documents.replace({"_id": "a", "new": 2, "version": 77}, 1)

        assert replaced == documents.get("a") == {"_id": "a", "new": 2, "slug": None, "version": 2}

    def test_a_replacement_of_another_version_is_stale(self, documents: Documents) -> None:
        documents.insert({"_id": "a", "n": 1})
        documents.replace({"_id": "a", "n": 2}, 1)

        with pytest.raises(Stale) as caught:
            documents.replace({"_id": "a", "n": 3}, 1)
        with pytest.raises(Stale):
            documents.replace({"_id": "nobody"}, 1)

        assert caught.value.code == "stale"
        stored = documents.get("a")
        assert stored is not None
        assert stored["n"] == 2

    def test_deleting_says_whether_there_was_something(self, documents: Documents) -> None:
        documents.insert({"_id": "a"})

        assert documents.delete("a") is True
        assert documents.delete("a") is False
        assert documents.get("a") is None

    def test_deleting_another_version_is_stale(self, documents: Documents) -> None:
        documents.insert({"_id": "a"})

        with pytest.raises(Stale):
            documents.delete("a", 2)

        assert documents.delete("a", 1) is True

    def test_equality_and_any_of_and_ranges_must_all_hold(self, documents: Documents) -> None:
        for n in range(6):
            documents.insert({"_id": f"d{n}", "rank": n, "state": "even" if n % 2 == 0 else "odd"})

        even = documents.find({"state": "even"}, ranges={"rank": Range(above=0, at_most=4)})
        chosen = documents.find(any_of={"rank": [5, 0, 99]}, sort=("-rank",))
        low = documents.find(ranges={"rank": Range(at_least=1, below=3)})
        nobody = documents.find({"state": "odd"}, any_of={"rank": []})

        assert self.ids(even) == ["d2", "d4"]
        assert self.ids(chosen) == ["d5", "d0"]
        assert self.ids(low) == ["d1", "d2"]
        assert nobody == []

    def test_none_and_missing_are_the_same_to_every_question(self, documents: Documents) -> None:
        documents.insert({"_id": "missing"})
        documents.insert({"_id": "none", "rank": None})
        documents.insert({"_id": "zero", "rank": 0})

        assert self.ids(documents.find({"rank": None})) == ["missing", "none"]
        assert self.ids(documents.find(any_of={"rank": [None, 0]})) == ["missing", "none", "zero"]
        assert documents.count(any_of={"rank": [None]}) == 2
        assert self.ids(documents.find(ranges={"rank": Range(below=5)})) == ["zero"]

    def test_a_range_sees_values_of_its_own_kind_only(self, documents: Documents) -> None:
        self.filled(documents, nothing=None, number=5, share=5.5, text="5")

        assert self.ids(documents.find(ranges={"rank": Range(above=1)})) == ["number", "share"]
        assert self.ids(documents.find(ranges={"rank": Range(above="1")})) == ["text"]
        assert self.ids(documents.find(ranges={"rank": Range(below="9")})) == ["text"]
        assert self.ids(documents.find(ranges={"rank": Range()})) == ["nothing", "number", "share", "text"]

    def test_nothing_sorts_before_numbers_before_text(self, documents: Documents) -> None:
        documents.insert({"_id": "gone"})
        self.filled(documents, none=None, ten=10, two=2, half=2.5, upper="B", lower="a", russian="я")

        rising = self.ids(documents.find(sort=("rank",)))
        falling = self.ids(documents.find(sort=("-rank",)))

        assert rising == ["gone", "none", "two", "half", "ten", "upper", "lower", "russian"]
        assert falling == ["russian", "lower", "upper", "ten", "half", "two", "gone", "none"]

    @pytest.mark.parametrize("sort", [("rank",), ("-rank",), ("state", "-rank"), ("-_id",), ("-state", "-_id"), ()])
    def test_pages_meet_without_gap_or_repetition(self, documents: Documents, sort: tuple[str, ...]) -> None:
        ranks: list[object] = [None, 3, 1, "b", None, 3, 2.5, "a", "b", 0, 3]
        for n, rank in enumerate(ranks):
            documents.insert({"_id": f"d{n:02}", "rank": rank, "state": "even" if n % 2 else None})
        everything = self.ids(documents.find(sort=sort))

        pages: list[str] = []
        last: Document | None = None
        while page := documents.find(sort=sort, limit=2, after=last):
            pages += self.ids(page)
            last = page[-1]

        assert len(everything) == len(ranks)
        assert pages == everything

    def test_a_limit_of_zero_finds_nothing(self, documents: Documents) -> None:
        self.filled(documents, a=1)

        assert documents.find(limit=0) == []

    def test_counting(self, documents: Documents) -> None:
        self.filled(documents, a=1, b=2, c=2)

        assert documents.count() == 3
        assert documents.count({"rank": 2}) == 2
        assert documents.count(ranges={"rank": Range(below=2)}) == 1

    def test_a_question_on_an_undeclared_field_is_a_mistake(self, documents: Documents) -> None:
        with pytest.raises(ValueError, match="colour"):
            documents.find({"colour": "red"})
        with pytest.raises(ValueError, match="colour"):
            documents.find(sort=("-colour",))

    @pytest.mark.parametrize("name", ["", "Things", "x; DROP TABLE y", "a.b", "1a", "a-b", "sys'", "version"])
    def test_a_name_that_an_engine_could_misread_is_refused(self, store: Store, name: str) -> None:
        with pytest.raises(ValueError, match="cannot name"):
            store.collection(name)
        with pytest.raises(ValueError, match="cannot name"):
            store.collection("things", indexed=(name,))

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"_id": 5},
            {"_id": ""},
            {"_id": "a\x00b"},
            {"_id": "a", "rank": True},
            {"_id": "a", "rank": [1]},
            {"_id": "a", "rank": {"b": 1}},
            {"_id": "a", "rank": "nul\x00"},
            {"_id": "a", "x": (1, 2)},
            {"_id": "a", "x": {1, 2}},
            {"_id": "a", "x": b"bytes"},
            {"_id": "a", "x": float("nan")},
            {"_id": "a", "x": float("inf")},
            {"_id": "a", "x": 2**63},
            {"_id": "a", "x": "\ud800"},
            {"_id": "a", "x": {"a.b": 1}},
            {"_id": "a", "x": {"$set": 1}},
            {"_id": "a", "x": {"": 1}},
            {"_id": "a", "x": {1: 1}},
        ],
    )
    def test_what_the_engines_would_not_give_back_is_refused(
        self, documents: Documents, document: dict[str, Any]
    ) -> None:
        with pytest.raises(Unstorable):
            documents.insert(document)

        assert documents.count() == 0

    def test_a_value_that_looks_like_a_command_is_only_a_value(self, documents: Documents) -> None:
        documents.insert({"_id": "a' OR 1=1 --", "state": "'); DROP TABLE things; --", "note": "\x00$where"})

        found = documents.find({"state": "'); DROP TABLE things; --"})

        assert self.ids(found) == ["a' OR 1=1 --"]
        assert found[0]["note"] == "\x00$where"

    def test_two_stores_on_one_address_see_the_same(self, documents: Documents, url: str) -> None:
        documents.insert({"_id": "a", "slug": "x"})
        other = open_store(url)

        found = other.collection("things", indexed=("state", "rank"), unique=("slug",)).find({"slug": "x"})
        other.close()

        assert self.ids(found) == ["a"]

    def test_a_closed_store_opens_again(self, store: Store, documents: Documents) -> None:
        documents.insert({"_id": "a"})
        store.close()

        assert documents.get("a") is not None

    def test_threads_share_a_store(self, documents: Documents) -> None:
        documents.insert({"_id": "n", "n": 0})

        def count_up() -> None:
            for _ in range(10):
                change(documents, "n", lambda found: found | {"n": found["n"] + 1})

        threads = [threading.Thread(target=count_up) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert documents.get("n") == {"_id": "n", "n": 60, "slug": None, "version": 61}

    def test_change_can_begin_a_document_and_can_leave_one_alone(self, documents: Documents) -> None:
        start = {"_id": "n", "n": 0}

        begun = change(documents, "n", lambda found: found | {"n": found["n"] + 1}, start=start)
        left = change(documents, "n", lambda found: None)

        assert begun == left == {"_id": "n", "n": 1, "slug": None, "version": 1}

    def test_change_of_nothing_is_not_stored(self, documents: Documents) -> None:
        with pytest.raises(NotStored):
            change(documents, "nobody", lambda found: found)

    def test_change_gives_up_as_stale_when_somebody_is_always_faster(self, documents: Documents) -> None:
        documents.insert({"_id": "n", "n": 0})
        pauses: list[float] = []

        def too_slow(found: Document) -> Document:
            documents.replace(found | {"n": found["n"] + 1}, found["version"])
            return found

        with pytest.raises(Stale):
            change(documents, "n", too_slow, tries=4, pause=pauses.append)

        assert len(pauses) == 3
        assert max(pauses) <= 0.1

    def test_migrations_run_once_and_in_order(self, store: Store, documents: Documents) -> None:
        for n in range(3):
            documents.insert({"_id": f"d{n}", "rank": n})
        runs: list[str] = []

        def add_state(document: Document) -> Document | None:
            runs.append("state")
            return None if "state" in document else document | {"state": "new"}

        def double(document: Document) -> Document:
            runs.append("double")
            return document | {"twice": document["rank"] * 2}

        migrate(store, documents, [add_state])
        migrate(store, documents, [add_state, double])
        migrate(store, documents, [add_state, double])

        assert runs == ["state"] * 3 + ["double"] * 3
        assert [found["twice"] for found in documents.find({"state": "new"})] == [0, 2, 4]

    def test_a_store_of_a_newer_program_is_left_alone(self, store: Store, documents: Documents) -> None:
        migrate(store, documents, [lambda _: None, lambda _: None])

        with pytest.raises(SchemaTooNew):
            migrate(store, documents, [lambda _: None])

    def test_a_migration_waits_for_one_that_died_until_its_lease_is_over(
        self, store: Store, documents: Documents
    ) -> None:
        now = [1000.0]
        documents.insert({"_id": "a"})
        store.collection("schemas").insert({"_id": "things", "schema": 0, "owner": "dead", "until_s": 1030.0})

        def pause(seconds: float) -> None:
            now[0] += 7.0

        migrate(store, documents, [lambda d: d | {"state": "x"}], clock=Clock(now_s=lambda: now[0], pause=pause))

        assert now[0] >= 1030.0
        assert documents.count({"state": "x"}) == 1

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12: what a worker does
    def test_a_forked_process_opens_a_connection_of_its_own(self, documents: Documents) -> None:
        documents.insert({"_id": "a", "n": 1})
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()

        child = context.Process(target=lambda: there.send(change(documents, "a", lambda found: found | {"n": 2})))
        child.start()
        answer = here.recv() if here.poll(20) else None
        child.join(20)
        after = documents.replace({"_id": "a", "n": 3}, 2)

        assert (child.exitcode, answer) == (0, {"_id": "a", "n": 2, "slug": None, "version": 2})
        assert documents.get("a") == after

    def test_eight_processes_claim_each_document_once(self, documents: Documents, url: str) -> None:
        wanted = [f"job{n:02}" for n in range(25)]
        for document_id in wanted:
            documents.insert({"_id": document_id, "state": "wanted"})

        answers = race(store_racers.claim_all, url)

        won = sorted(document_id for answer in answers for document_id in answer)
        assert won == wanted
        assert documents.count({"state": "claimed"}) == 25

    def test_eight_processes_make_one_document_of_each_unique_value(self, documents: Documents, url: str) -> None:
        answers = race(store_racers.insert_slugs, url)

        assert sum(len(made) for made, _ in answers) == 20
        assert sum(refused for _, refused in answers) == 20 * (PROCESSES - 1)
        assert documents.count() == 20

    def test_eight_processes_count_up_without_a_loss(self, documents: Documents, url: str) -> None:
        answers = race(store_racers.count_up, url)

        stored = documents.get("counter")
        assert stored is not None
        assert stored["n"] == sum(answers) == PROCESSES * 25
