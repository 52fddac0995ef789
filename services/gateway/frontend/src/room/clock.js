/**
 * Room time as this page knows it: the sample with the shortest round trip of the last 30 wins, because its error is
 * at most half of that round trip (as in NTP, RFC 5905, section 8). No timers here: the caller asks when to ping.
 */

const KEEP = 30;
const BURST = 15;
const BURST_GAP_MS = 60;
const QUICK_GAP_MS = 1000;
const QUICK_FOR_MS = 30_000;
const SLOW_GAP_MS = 10_000;
const SLEEP_GAP_MS = 2000;

/** @typedef {{offset_ms: number, rtt_ms: number}} Sample */

export class Clock {
  constructor() {
    /** @type {Sample[]} */
    this.samples = [];
    this.sent = 0;
    /** @type {number | null} local time of the first ping since the window was dropped */
    this.began_ms = null;
    /** @type {Sample | null} stays in use after a drop until the first new sample */
    this.best = null;
  }

  /** Forgets all samples and starts a new burst; the last estimate serves until the first answer. */
  drop() {
    this.samples = [];
    this.sent = 0;
    this.began_ms = null;
  }

  /**
   * Notes that a ping leaves now and returns after how many ms the next one is due.
   * @param {number} local_ms
   */
  pinged(local_ms) {
    this.began_ms ??= local_ms;
    this.sent += 1;
    if (this.sent < BURST) return BURST_GAP_MS;
    return local_ms - this.began_ms < QUICK_FOR_MS ? QUICK_GAP_MS : SLOW_GAP_MS;
  }

  /**
   * Takes an answer in.
   * @param {number} sent_ms local time when the ping left
   * @param {number} got_ms local time when the pong came
   * @param {number} s1_ms room time when the server received it
   * @param {number} s2_ms room time when the server answered
   */
  ponged(sent_ms, got_ms, s1_ms, s2_ms) {
    const rtt_ms = got_ms - sent_ms - (s2_ms - s1_ms);
    const offset_ms = (s1_ms - sent_ms + (s2_ms - got_ms)) / 2;
    if (!Number.isFinite(rtt_ms) || !Number.isFinite(offset_ms)) return;
    this.samples.push({ offset_ms, rtt_ms: Math.max(0, rtt_ms) });
    if (this.samples.length > KEEP) this.samples.shift();
    this.best = this.samples.reduce((best, sample) => (sample.rtt_ms < best.rtt_ms ? sample : best));
  }

  /** Whether room time is known at all. */
  get known() {
    return this.best !== null;
  }

  /** Room time, ms, at a moment of the local clock. @param {number} local_ms */
  roomAt(local_ms) {
    return local_ms + (this.best?.offset_ms ?? 0);
  }

  /** The local moment of a room time. @param {number} room_ms */
  localAt(room_ms) {
    return room_ms - (this.best?.offset_ms ?? 0);
  }

  /** Greatest possible error, ms; Infinity before the first answer. */
  get error_ms() {
    return this.best ? this.best.rtt_ms / 2 : Infinity;
  }

  get rtt_ms() {
    return this.best ? this.best.rtt_ms : 0;
  }
}

/**
 * Whether the machine slept: a timer came much later than it was due.
 * @param {number} due_ms @param {number} came_ms
 */
export function slept(due_ms, came_ms) {
  return came_ms - due_ms > SLEEP_GAP_MS;
}
