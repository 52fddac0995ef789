/** Where a room is: the vector of `kinodom_common.contracts.rooms`, and what follows from it. Pure. */

/**
 * @typedef {object} Vec
 * @property {string} epoch one incarnation of the room
 * @property {number} v +1 with every applied operation
 * @property {string} item video id
 * @property {number} pos_ms
 * @property {number} rate 0 is pause
 * @property {number} at_ms room time, may lie in the future
 * @property {string} by
 * @property {string} op
 */

/**
 * Whether a vector replaces the known one. Epochs have no order: another one is a new incarnation of the room.
 * @param {Vec} vec @param {Vec | null} known
 */
export function isNewer(vec, known) {
  return known === null || vec.epoch !== known.epoch || vec.v > known.v;
}

/**
 * Position at a room time, ms, held inside the item.
 * @param {Vec} vec @param {number} room_ms @param {number} [duration_ms]
 */
export function positionAt(vec, room_ms, duration_ms = Infinity) {
  const moved = vec.pos_ms + Math.max(0, room_ms - vec.at_ms) * vec.rate;
  return Math.min(Math.max(0, moved), duration_ms);
}

/**
 * How far ahead a jump is scheduled, ms: two ways of the network, the slowest usual seek, and room to spare.
 * @param {number} rtt_ms @param {number} seek_ms
 */
export function leadFor(rtt_ms, seek_ms) {
  return Math.min(1500, Math.max(400, Math.round(2 * rtt_ms + 2 * seek_ms + 150)));
}

/**
 * Delay before the n-th attempt to connect again, ms: full jitter, so that a house does not come back all at once.
 * @param {number} attempt from 0 @param {number} random in [0, 1)
 */
export function backoff(attempt, random) {
  return random * Math.min(30_000, 500 * 2 ** Math.min(attempt, 10));
}
