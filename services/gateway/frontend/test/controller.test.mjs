import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, learnPlay, learnSeek, median, newSteering } from "../src/room/controller.js";
import { random } from "./support.mjs";

const TICK_MS = 200;
const seen = (error_ms, facts = {}) => ({
  errors_ms: Array(12).fill(error_ms), now_ms: 100_000, room_rate: 1, can_act: true, clock_error_ms: 1, ...facts,
});

/** A player on a machine: its clock runs a little wrong, its samples jitter, its seeks take time and miss. */
class Player {
  constructor(next, facts = {}) {
    Object.assign(this, { skew: 0, jitter_ms: 1, seek_ms: 60, miss_ms: 0, speed: 1, ...facts });
    this.next = next;
    this.position_ms = 0;
    this.rate = 1;
    this.state = newSteering();
    this.samples = [];
    this.seeks = 0;
    this.moved = 0; // ticks with a corrected rate
    this.busy_until_ms = -1;
  }

  tick(now_ms, target_ms) {
    for (let frame = 5; frame > 0; frame -= 1) {
      const noise_ms = (this.next() - 0.5) * 2 * this.jitter_ms;
      this.samples.push(target_ms - this.position_ms + noise_ms);
    }
    this.samples = this.samples.slice(-12);
    const can_act = now_ms >= this.busy_until_ms;
    const made = decide(this.state, { errors_ms: this.samples, now_ms, room_rate: 1, can_act, clock_error_ms: 1 });
    this.state = made.state;
    this.rate = made.rate;
    if (made.action === "rate") this.moved += 1;
    if (made.action === "seek") this.seek(now_ms, target_ms + made.ahead_ms);
  }

  seek(now_ms, to_ms) {
    this.seeks += 1;
    this.busy_until_ms = now_ms + this.seek_ms;
    this.position_ms = to_ms + (this.next() - 0.5) * 2 * this.miss_ms;
    this.samples = [];
    this.state = learnSeek(this.state, this.seek_ms);
  }

  run(now_ms) {
    if (now_ms < this.busy_until_ms) return;
    this.position_ms += TICK_MS * this.rate * this.speed * (1 + this.skew);
  }
}

function play(player, seconds, { from_ms = 0, stall } = {}) {
  const errors_ms = [];
  for (let now_ms = from_ms; now_ms < from_ms + seconds * 1000; now_ms += TICK_MS) {
    if (stall && now_ms === stall.at_ms) player.busy_until_ms = now_ms + stall.for_ms;
    player.tick(now_ms, now_ms);
    player.run(now_ms);
    errors_ms.push(now_ms + TICK_MS - player.position_ms);
  }
  return errors_ms;
}

test("nothing is done with too few samples, while seeking, or inside the dead band", () => {
  assert.equal(decide(newSteering(), seen(900, { errors_ms: [900, 900] })).action, "none");
  assert.equal(decide(newSteering(), seen(900, { can_act: false })).action, "none");
  assert.equal(decide(newSteering(), seen(2.9)).action, "none");
});

test("a correction goes on below the dead band until 1 ms", () => {
  const begun = decide(newSteering(), seen(4));

  assert.equal(begun.action, "rate");
  assert.equal(decide(begun.state, seen(2)).action, "rate");
  assert.equal(decide(begun.state, seen(0.9)).action, "none");
});

test("the rate stays within 2 % near the room and within 6 % at all, also of a room at half or double speed", () => {
  for (let error_ms = -300; error_ms <= 300; error_ms += 1) {
    for (const room_rate of [0.5, 1, 2]) {
      const { rate, action } = decide(newSteering(), seen(error_ms, { room_rate }));
      const change = Math.abs(rate / room_rate - 1);

      assert.ok(change <= (Math.abs(error_ms) < 40 ? 0.02 : 0.06) + 1e-9);
      assert.ok(action === "none" ? change === 0 : Math.sign(rate - room_rate) === Math.sign(error_ms));
    }
  }
});

test("more than 300 ms is a seek that aims ahead by what a seek takes here", () => {
  const state = learnSeek(newSteering(), 160);

  const made = decide(state, seen(-301));

  assert.equal(made.action, "seek");
  assert.equal(made.ahead_ms, 110);
});

test("no second seek comes within 1.5 s", () => {
  const { state } = decide(newSteering(), seen(900));

  assert.equal(decide(state, seen(900, { now_ms: 101_400 })).action, "none");
  assert.equal(decide(state, seen(900, { now_ms: 101_600 })).action, "seek");
});

test("members with wrong clocks, jitter and any beginning come within 40 ms in 6 s and stay within 15 ms", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    const player = new Player(next, { skew: (next() - 0.5) * 4e-4, jitter_ms: 1 + next() * 8, seek_ms: 20 + next() * 300 });
    player.position_ms = (next() - 0.5) * 20_000;

    const errors_ms = play(player, 30);

    assert.ok(errors_ms.slice(30).every((error) => Math.abs(error) < 40), `seed ${seed}: ${errors_ms.slice(30)}`);
    assert.ok(errors_ms.slice(50).every((error) => Math.abs(error) < 15), `seed ${seed}: ${errors_ms.slice(50)}`);
    assert.ok(player.seeks <= 2, `seed ${seed}: ${player.seeks} seeks`);
  }
});

test("a member in step does not hunt: over ten minutes it is corrected less than a tenth of the time", () => {
  for (const skew of [-2e-4, 0, 2e-4]) {
    const player = new Player(random(7), { skew, jitter_ms: 2 });

    const errors_ms = play(player, 600);

    assert.ok(player.moved / errors_ms.length < 0.1, `${player.moved} of ${errors_ms.length} at ${skew}`);
    assert.ok(errors_ms.every((error) => Math.abs(error) < 10));
    assert.equal(player.seeks, 0);
  }
});

test("a stall of 0.2 s is made up for within 5 s by rate alone, one of 1.6 s within 4 s by one seek", () => {
  for (const [for_ms, within_s, seeks] of [[200, 5, 0], [1600, 4, 1]]) {
    const player = new Player(random(3));

    const errors_ms = play(player, 20, { stall: { at_ms: 5000, for_ms } });

    const back = errors_ms.slice(25 + for_ms / TICK_MS + within_s * 5);
    assert.ok(back.every((error) => Math.abs(error) < 40), `after ${for_ms} ms: ${back}`);
    assert.equal(player.seeks, seeks);
  }
});

test("a device that can neither keep up nor seek well is never caught in a loop of seeks", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const player = new Player(random(seed), { seek_ms: 3000, miss_ms: 2000, speed: 0.98 });
    const at = [];
    for (let now_ms = 0; now_ms < 60_000; now_ms += TICK_MS) {
      const before = player.seeks;
      player.tick(now_ms, now_ms);
      player.run(now_ms);
      if (player.seeks > before) at.push(now_ms);
    }

    for (let one = 2; one < at.length; one += 1) assert.ok(at[one] - at[one - 2] >= 10_000, `seed ${seed}: ${at}`);
  }
});

test("two seeks that did not help double the band, and quiet narrows it again", () => {
  let state = newSteering();
  for (const now_ms of [0, 1600, 3200]) ({ state } = decide(state, seen(2000, { now_ms })));
  assert.equal(state.widened, 2);

  ({ state } = decide(state, seen(0, { now_ms: 200_000 })));

  assert.equal(state.widened, 1);
});

test("a poor clock widens the dead band instead of steering by noise", () => {
  assert.equal(decide(newSteering(), seen(30, { clock_error_ms: 100 })).action, "none");
  assert.equal(decide(newSteering(), seen(30, { clock_error_ms: 20 })).action, "rate");
});

test("the play lead is learned from late and early starts, and never from an accident", () => {
  let state = newSteering();
  for (let start = 0; start < 12; start += 1) state = learnPlay(state, 140 - state.play_lead_ms);

  assert.ok(Math.abs(state.play_lead_ms - 140) < 2);
  assert.equal(learnPlay(state, 900).play_lead_ms, state.play_lead_ms);
});

test("the median is the middle, and of nothing is not a number", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
