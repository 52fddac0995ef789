import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock, slept } from "../src/room/clock.js";
import { random } from "./support.mjs";

/** Exchanges one ping with a server whose clock is `offset_ms` ahead. */
function exchange(clock, at_ms, offset_ms, up_ms, down_ms) {
  clock.pinged(at_ms);
  const s1_ms = at_ms + up_ms + offset_ms;
  clock.ponged(at_ms, at_ms + up_ms + down_ms, s1_ms, s1_ms);
}

test("a symmetric network gives the exact offset, however far the clocks are apart", () => {
  const clock = new Clock();

  exchange(clock, 1000, 3.6e6 * 24 * 365 * 3, 4, 4);

  assert.equal(clock.roomAt(1000), 1000 + 3.6e6 * 24 * 365 * 3);
  assert.equal(clock.error_ms, 4);
});

test("the error never exceeds the bound that the clock states", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    const offset_ms = (next() - 0.5) * 7.2e6;
    const clock = new Clock();
    for (let at = 0; at < 40; at += 1) {
      exchange(clock, at * 100, offset_ms, 1 + next() * 30 * (next() < 0.1 ? 10 : 1), 1 + next() * 30);

      assert.ok(Math.abs(clock.roomAt(0) - offset_ms) <= clock.error_ms + 1e-6);
    }
  }
});

test("busy Wi-Fi is estimated within 5 ms in 95 of 100 cases", () => {
  const errors_ms = [];
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed);
    const way = () => 2 - 15 * Math.log(1 - next()) + (next() < 0.1 ? 50 + next() * 350 : 0);
    const clock = new Clock();
    for (let at = 0; at < 30; at += 1) exchange(clock, at * 100, 0, way(), way());
    errors_ms.push(Math.abs(clock.roomAt(0)));
  }

  errors_ms.sort((a, b) => a - b);

  assert.ok(errors_ms[379] < 5, `p95 is ${errors_ms[379]} ms`);
});

test("fifteen pings go 60 ms apart, then one a second for half a minute, then one in ten seconds", () => {
  const clock = new Clock();
  const gaps = [];
  let at_ms = 5000;
  while (at_ms < 60_000) {
    const gap = clock.pinged(at_ms);
    gaps.push(gap);
    at_ms += gap;
  }

  assert.deepEqual(gaps.slice(0, 15), [...Array(14).fill(60), 1000]);
  assert.equal(gaps.filter((gap) => gap === 1000).length, 30);
  assert.equal(gaps.at(-1), 10_000);
});

test("after a drop the old estimate serves until the first answer, and then counts no more", () => {
  const clock = new Clock();
  exchange(clock, 0, 500, 1, 1);

  clock.drop();

  assert.equal(clock.roomAt(0), 500);
  exchange(clock, 100, 900, 20, 20);
  assert.equal(clock.roomAt(0), 900);
});

test("only the last thirty samples count, so a clock that runs away is followed", () => {
  const clock = new Clock();
  exchange(clock, 0, 0, 0.1, 0.1);

  for (let at = 1; at <= 30; at += 1) exchange(clock, at * 1000, 50, 5, 5);

  assert.equal(clock.roomAt(0), 50);
});

test("a timer that comes two seconds late tells of sleep", () => {
  assert.equal(slept(1000, 2900), false);
  assert.equal(slept(1000, 3100), true);
});
