/**
 * Keeps one media element where the room is. It never makes an operation: it only follows vectors.
 *
 * A jump is: pause, seek, wait until the frame is there, call play() a learned lead before the moment. Between jumps
 * the controller steers by the playback rate.
 */
import { decide, learnPlay, learnSeek, median, newSteering } from "./controller.js";
import { isNewer, positionAt } from "./timeline.js";

const TICK_MS = 200;
const FRESH_MS = 1000;
const FRESH_HIDDEN_MS = 4000;
const SETTLE_MS = 500; // after play(): the error seen then teaches the lead
const SAME_FRAME_MS = 8;
const JUMP_MS = 300;
const READY_WAIT_MS = 15_000;
const HAVE_FUTURE_DATA = 3;

/**
 * @typedef {import("./timeline.js").Vec} Vec
 * @typedef {object} Ports
 * @property {HTMLVideoElement} media
 * @property {import("./clock.js").Clock} clock
 * @property {() => number} now local steady clock, ms
 * @property {(item: string) => Promise<void>} load puts another video into the element
 * @property {(muted: boolean) => void} onMuted the browser refused sound before a gesture
 */

export class Follower {
  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    /** @type {Vec | null} */
    this.vec = null;
    /** @type {string | null} the video that is in the element */
    this.item = null;
    this.detached = false;
    this.steering = newSteering();
    /** @type {{at_ms: number, error_ms: number}[]} */
    this.samples = [];
    this.turn = 0; // a newer turn stops what an older one still waits for
    this.busy = false;
    /** @type {number | null} local time of the last play() of ours; null: its error is learned */
    this.began_ms = null;
    this.seeks = 0;
    this.watchFrames();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  roomNow() {
    return this.ports.clock.roomAt(this.ports.now());
  }

  duration_ms() {
    const seconds = this.ports.media.duration;
    return Number.isFinite(seconds) ? seconds * 1000 : Infinity;
  }

  /** Where the room is, ms. */
  target_ms() {
    return this.vec ? positionAt(this.vec, this.roomNow(), this.duration_ms()) : 0;
  }

  /** How far this player is behind the room, ms, as last measured; NaN: not playing or too few samples. */
  error_ms() {
    return this.vec?.rate && !this.ports.media.paused ? median(this.fresh()) : NaN;
  }

  /** Follows a vector unless a newer one is known. @param {Vec} vec @returns {boolean} whether it was newer */
  follow(vec) {
    if (!isNewer(vec, this.vec) && !this.detached) return false;
    this.vec = vec;
    this.detached = false;
    void this.apply(vec);
    return true;
  }

  /** Leaves the room's timeline until the next vector: the person stopped while the house did not answer. */
  detach() {
    this.detached = true;
    this.turn += 1;
    this.ports.media.pause();
  }

  /** @param {Vec} vec */
  async apply(vec) {
    const turn = ++this.turn;
    this.busy = true;
    try {
      if (vec.item !== this.item) {
        this.item = vec.item;
        this.ports.media.pause();
        await this.ports.load(vec.item);
        if (turn !== this.turn) return;
      }
      if (vec.rate === 0) await this.stopAt(vec, turn);
      else await this.moveOn(vec, turn);
    } finally {
      if (turn === this.turn) this.busy = false;
    }
  }

  /** @param {Vec} vec @param {number} turn */
  async stopAt(vec, turn) {
    const { media, clock } = this.ports;
    if (!media.paused) await this.until(clock.localAt(vec.at_ms));
    if (turn !== this.turn) return;
    media.pause();
    media.playbackRate = 1;
    if (Math.abs(media.currentTime * 1000 - vec.pos_ms) > SAME_FRAME_MS) await this.seek(vec.pos_ms, turn);
  }

  /** @param {Vec} vec @param {number} turn */
  async moveOn(vec, turn) {
    const { media } = this.ports;
    const error_ms = positionAt(vec, Math.max(this.roomNow(), vec.at_ms), this.duration_ms()) - media.currentTime * 1000;
    const ahead_ms = vec.at_ms - this.roomNow();
    if (!media.paused && Math.abs(error_ms + Math.min(0, -ahead_ms) * vec.rate) < JUMP_MS) {
      this.forget();
      media.playbackRate = vec.rate;
      return; // a change of speed, or nothing: the controller does the rest
    }
    await this.startAt(vec, turn);
  }

  /** Pauses, seeks and starts so that the picture moves on the room's moment. @param {Vec} vec @param {number} turn */
  async startAt(vec, turn) {
    const { media, clock, now } = this.ports;
    media.pause();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const lead_ms = this.steering.play_lead_ms;
      const earliest_ms = this.roomNow() + (1 + attempt) * this.steering.seek_ms + lead_ms + 80;
      const start_ms = Math.max(vec.at_ms, earliest_ms);
      const pos_ms = positionAt(vec, start_ms, this.duration_ms());
      if (Math.abs(media.currentTime * 1000 - pos_ms) > SAME_FRAME_MS) await this.seek(pos_ms, turn);
      if (turn !== this.turn || !(await this.ready(turn))) return;
      const play_at_ms = clock.localAt(start_ms) - lead_ms;
      if (now() > play_at_ms + 20 && attempt < 2) continue; // too late for this moment: aim at a later one
      await this.until(play_at_ms);
      if (turn !== this.turn) return;
      break;
    }
    this.forget();
    media.playbackRate = vec.rate;
    this.began_ms = now();
    await this.play();
  }

  async play() {
    const { media, onMuted } = this.ports;
    try {
      await media.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      media.muted = true;
      onMuted(true);
      await media.play().catch(() => undefined);
      this.began_ms = null;
    }
  }

  /** @param {number} pos_ms @param {number} turn */
  async seek(pos_ms, turn) {
    const { media, now } = this.ports;
    const from_ms = now();
    this.seeks += 1;
    this.forget();
    media.currentTime = pos_ms / 1000;
    await this.event("seeked", () => !media.seeking);
    if (turn === this.turn && !document.hidden) this.steering = learnSeek(this.steering, now() - from_ms);
  }

  /** @param {number} turn @returns {Promise<boolean>} whether the element can play on, and this turn is the newest */
  async ready(turn) {
    const { media } = this.ports;
    if (media.readyState < HAVE_FUTURE_DATA) await this.event("canplay", () => media.readyState >= HAVE_FUTURE_DATA);
    return turn === this.turn;
  }

  /** @param {string} name @param {() => boolean} is true when the event is not needed any more */
  event(name, is) {
    const { media } = this.ports;
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          media.removeEventListener(name, done);
          resolve();
        };
        const timer = setTimeout(done, READY_WAIT_MS);
        media.addEventListener(name, done);
        if (is()) done();
      })
    );
  }

  /** @param {number} local_ms */
  until(local_ms) {
    const wait_ms = local_ms - this.ports.now();
    return wait_ms > 1 ? new Promise((resolve) => setTimeout(resolve, wait_ms)) : Promise.resolve();
  }

  /** Drops samples that were taken before a jump. */
  forget() {
    this.samples = [];
    this.began_ms = null;
  }

  fresh() {
    const since_ms = this.ports.now() - (document.hidden ? FRESH_HIDDEN_MS : FRESH_MS);
    return this.samples.filter((sample) => sample.at_ms >= since_ms).map((sample) => sample.error_ms);
  }

  sample() {
    const { media, now } = this.ports;
    if (!this.vec || media.paused || media.seeking) return;
    this.samples.push({ at_ms: now(), error_ms: this.target_ms() - media.currentTime * 1000 });
    if (this.samples.length > 60) this.samples.shift();
  }

  /** Samples on every frame; on `timeupdate` while the page is hidden, because frames stop then. */
  watchFrames() {
    const { media } = this.ports;
    const byFrame = "requestVideoFrameCallback" in media;
    const onFrame = () => {
      this.sample();
      media.requestVideoFrameCallback(onFrame);
    };
    if (byFrame) media.requestVideoFrameCallback(onFrame);
    media.addEventListener("timeupdate", () => {
      if (document.hidden || !byFrame) this.sample();
    });
  }

  tick() {
    const { media, now, clock } = this.ports;
    const vec = this.vec;
    if (!vec || vec.rate === 0 || this.busy || this.detached) return;
    if (media.paused) {
      if (!media.ended && this.roomNow() > vec.at_ms + 1000 && this.target_ms() < this.duration_ms() - 200) this.restart(vec);
      return;
    }
    if (this.began_ms !== null && now() - this.began_ms < SETTLE_MS) return;
    const errors_ms = this.fresh();
    if (this.began_ms !== null && errors_ms.length >= 5) {
      this.steering = learnPlay(this.steering, median(errors_ms));
      this.began_ms = null;
    }
    const can_act = !media.seeking && media.readyState >= HAVE_FUTURE_DATA && this.roomNow() > vec.at_ms;
    const next = decide(this.steering, { errors_ms, now_ms: now(), room_rate: vec.rate, can_act, clock_error_ms: clock.error_ms });
    this.steering = next.state;
    if (next.action === "seek") void this.jump(vec, next.ahead_ms);
    else if (Math.abs(media.playbackRate - next.rate) > 1e-4) media.playbackRate = next.rate;
  }

  /** The element stopped by itself: starts again where the room is. @param {Vec} vec */
  restart(vec) {
    const turn = ++this.turn;
    this.busy = true;
    void this.startAt(vec, turn).finally(() => {
      if (turn === this.turn) this.busy = false;
    });
  }

  /** @param {Vec} vec @param {number} ahead_ms */
  async jump(vec, ahead_ms) {
    const turn = this.turn;
    this.busy = true;
    this.ports.media.playbackRate = vec.rate;
    const pos_ms = positionAt(vec, this.roomNow() + ahead_ms, this.duration_ms());
    await this.seek(pos_ms, turn);
    if (turn === this.turn) this.busy = false;
  }
}
