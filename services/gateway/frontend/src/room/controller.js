/**
 * What a member's player should do to be where the room is. Pure: measurements in, decision out.
 *
 * Constants were measured with three separate browsers: gain 1.5/s, at most 6 % (so that the browser resamples sound
 * instead of stretching it), 2 % below 40 ms (a semitone would be heard), a dead band of 3 ms released below 1 ms,
 * and a seek only beyond 300 ms.
 */

const GAIN_PER_S = 1.5;
const RATE_LIMIT = 0.06;
const NEAR_MS = 40;
const NEAR_RATE_LIMIT = 0.02;
const DEAD_BAND_MS = 3;
const RELEASE_MS = 1;
const SEEK_MS = 300;
const COOL_DOWN_MS = 1500;
const FAILED_WITHIN_MS = 5000;
const TWO_SEEKS_PER_MS = 10_000;
const WIDEST = 16; // times the bands above
const NARROW_AFTER_MS = 60_000;
const POOR_CLOCK_MS = 40;
const SAMPLES = 12;
const SAMPLES_NEEDED = 5;

/**
 * @typedef {object} Steering
 * @property {boolean} steering a correction by rate is under way
 * @property {number} widened how many times wider the bands are, after seeks that did not help
 * @property {number | null} sought_ms when the last seek was decided
 * @property {number | null} before_ms when the one before it was
 * @property {number} failures seeks in a row that did not help
 * @property {boolean} judged the last seek is counted already
 * @property {number} seek_ms how long a seek takes here, EWMA
 * @property {number} play_lead_ms how long play() takes to move the picture, EWMA
 */

/** @returns {Steering} */
export function newSteering() {
  return { steering: false, widened: 1, sought_ms: null, before_ms: null, failures: 0, judged: true, seek_ms: 60, play_lead_ms: 75 };
}

/** @param {readonly number[]} values @returns {number} NaN for none */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @typedef {object} Seen
 * @property {readonly number[]} errors_ms target minus position, fresh samples, oldest first; positive is behind
 * @property {number} now_ms any steady clock
 * @property {number} room_rate
 * @property {boolean} can_act playing, not seeking, enough data
 * @property {number} clock_error_ms
 */

/**
 * Decides the next step.
 * @param {Steering} before @param {Seen} seen
 * @returns {{action: "none" | "rate" | "seek", rate: number, ahead_ms: number, error_ms: number, state: Steering}}
 *   `rate` is to be set in every case; `ahead_ms` says how far beyond the room's position a seek has to aim.
 */
export function decide(before, seen) {
  const state = { ...before };
  const idle = { action: /** @type {const} */ ("none"), rate: seen.room_rate, ahead_ms: 0, error_ms: NaN, state };
  if (!seen.can_act || seen.errors_ms.length < SAMPLES_NEEDED) return idle;
  const error_ms = median(seen.errors_ms.slice(-SAMPLES));
  const size_ms = Math.abs(error_ms);
  const since_ms = state.sought_ms === null ? Infinity : seen.now_ms - state.sought_ms;
  if (state.widened > 1 && since_ms > NARROW_AFTER_MS) {
    state.widened /= 2;
    state.sought_ms = seen.now_ms - FAILED_WITHIN_MS - 1; // the next narrowing is a minute away
  }
  if (since_ms > FAILED_WITHIN_MS) state.failures = 0;
  if (size_ms > SEEK_MS * state.widened) {
    if (since_ms < COOL_DOWN_MS) return { ...idle, error_ms };
    judge(state, since_ms);
    const enough = state.before_ms !== null && seen.now_ms - state.before_ms < TWO_SEEKS_PER_MS;
    if (!enough && size_ms > SEEK_MS * state.widened) return seek(state, seen, error_ms);
  }
  return steer(state, seen, error_ms);
}

/** Counts the last seek as one that did not help, once; the second in a row widens the bands.
 * @param {Steering} state @param {number} since_ms */
function judge(state, since_ms) {
  if (state.judged || since_ms > FAILED_WITHIN_MS) return;
  state.judged = true;
  state.failures += 1;
  if (state.failures < 2) return;
  state.failures = 0;
  state.widened = Math.min(WIDEST, state.widened * 2);
}

/** @param {Steering} state @param {Seen} seen @param {number} error_ms */
function seek(state, seen, error_ms) {
  state.before_ms = state.sought_ms;
  state.sought_ms = seen.now_ms;
  state.judged = false;
  state.steering = false;
  return { action: /** @type {const} */ ("seek"), rate: seen.room_rate, ahead_ms: state.seek_ms, error_ms, state };
}

/** @param {Steering} state @param {Seen} seen @param {number} error_ms */
function steer(state, seen, error_ms) {
  const size_ms = Math.abs(error_ms);
  const poor_ms = seen.clock_error_ms > POOR_CLOCK_MS ? seen.clock_error_ms / 2 : 0;
  const band_ms = Math.max(DEAD_BAND_MS * state.widened, poor_ms);
  state.steering = size_ms > (state.steering ? (band_ms * RELEASE_MS) / DEAD_BAND_MS : band_ms);
  if (!state.steering) return { action: /** @type {const} */ ("none"), rate: seen.room_rate, ahead_ms: 0, error_ms, state };
  const limit = size_ms < NEAR_MS ? NEAR_RATE_LIMIT : RATE_LIMIT;
  const change = Math.min(limit, Math.max(-limit, (GAIN_PER_S * error_ms) / 1000));
  return { action: /** @type {const} */ ("rate"), rate: seen.room_rate * (1 + change), ahead_ms: 0, error_ms, state };
}

/**
 * Learns how long a seek took.
 * @param {Steering} before @param {number} took_ms @returns {Steering}
 */
export function learnSeek(before, took_ms) {
  return { ...before, seek_ms: before.seek_ms + 0.5 * (Math.min(3000, Math.max(0, took_ms)) - before.seek_ms) };
}

/**
 * Learns from the error seen after a scheduled start: late by it means the lead was too short by it.
 * @param {Steering} before @param {number} error_ms @returns {Steering}
 */
export function learnPlay(before, error_ms) {
  if (Math.abs(error_ms) > 250) return before; // something else went wrong, a stall for example
  return { ...before, play_lead_ms: Math.min(300, Math.max(0, before.play_lead_ms + 0.3 * error_ms)) };
}
