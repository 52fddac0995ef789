import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, isNewer, leadFor, positionAt } from "../src/room/timeline.js";
import { random } from "./support.mjs";

const vec = (facts = {}) => ({ epoch: "e", v: 1, item: "a", pos_ms: 1000, rate: 1, at_ms: 5000, by: "m", op: "play", ...facts });

test("a room stands still until its moment, then moves at its rate, and ends at the end", () => {
  assert.equal(positionAt(vec(), 4000), 1000);
  assert.equal(positionAt(vec(), 5500), 1500);
  assert.equal(positionAt(vec({ rate: 2 }), 5500), 2000);
  assert.equal(positionAt(vec({ rate: 0 }), 9e9), 1000);
  assert.equal(positionAt(vec(), 9e9, 60_000), 60_000);
});

test("members that get the same vectors late, twice and in any order end at the same one", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const next = random(seed);
    const sent = Array.from({ length: 12 }, (_, at) => vec({ v: at + 1, pos_ms: next() * 1e6 }));
    const members = [0, 1, 2].map(() => {
      let known = null;
      const got = [...sent, ...sent].sort(() => next() - 0.5);
      for (const one of got) {
        if (!isNewer(one, known)) continue;
        assert.ok(known === null || one.v > known.v);
        known = one;
      }
      return known;
    });

    assert.deepEqual(members, [sent[11], sent[11], sent[11]]);
  }
});

test("another epoch is a new room, whatever its version", () => {
  assert.equal(isNewer(vec({ epoch: "f", v: 0 }), vec({ v: 99 })), true);
});

test("the lead grows with the network and the seek, between 0.4 and 1.5 s", () => {
  assert.equal(leadFor(1, 20), 400);
  assert.equal(leadFor(100, 200), 750);
  assert.equal(leadFor(900, 900), 1500);
});

test("attempts to connect again spread over a growing time, half a minute at most", () => {
  assert.equal(backoff(0, 0.5), 250);
  assert.equal(backoff(3, 1), 4000);
  assert.equal(backoff(50, 1), 30_000);
  assert.equal(backoff(50, 0), 0);
});
