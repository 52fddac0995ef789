/**
 * One video in one media element: the signed link and its renewal, and troubles in plain words. How it is played is left
 * to one of two: `dash.js` for a film on the disk, `live.js` for one that is still coming.
 */
import { freshen, renewAfter } from "../links.js";
import { post, Refused } from "../page/http.js";
import { t } from "../words.js";

const RENEWALS_PER_MINUTE = 4;
const LOOK_AGAIN_MS = 5000;

/** @typedef {import("../links.js").Link} Link */
/** @typedef {{text: string, code: string}} Trouble */
/** @typedef {{status: number, network: boolean, code: string, fatal: boolean, text?: string}} Failure what went wrong while playing */
/**
 * @typedef {object} Hearing what a picture tells
 * @property {(failure: Failure) => void} failed
 * @property {() => void} tracks
 * @property {(uri: string) => string} freshened
 * @property {(have: [number, number][] | null) => void} have stretches on the disk, seconds; null: all
 * @property {() => void} moved the film goes on from another place
 */
/** @typedef {import("./dash.js").DashPicture | import("./live.js").LivePicture} Picture */

export class Film {
  /**
   * @param {HTMLVideoElement} media
   * @param {{trouble: (trouble: Trouble | null) => void, tracks: () => void, have?: (have: [number, number][] | null) => void,
   *   moved?: () => void}} hearing
   */
  constructor(media, hearing) {
    this.media = media;
    this.hearing = hearing;
    this.videoId = "";
    /** @type {Link | null} */
    this.link = null;
    /** @type {number[]} */
    this.renewals = [];
    /** @type {Promise<void> | null} */
    this.renewing = null;
    this.automatic = true;
    this.loads = 0;
    /** @type {Picture | null} */
    this.picture = null;
  }

  /**
   * Puts a video into the element, paused.
   * @param {string} videoId @param {Link | null} link null: asks for one @param {number} start_s
   */
  async load(videoId, link, start_s) {
    const load = ++this.loads;
    this.videoId = videoId;
    this.hearing.trouble(null);
    clearTimeout(this.timer);
    clearTimeout(this.lookTimer);
    try {
      this.link = link ?? (await this.ask());
      if (load !== this.loads) return;
      await this.take(start_s);
    } catch (error) {
      if (load !== this.loads || !(await this.again(error, load, start_s))) return;
    }
    if (load !== this.loads) return;
    this.schedule();
    this.hearing.tracks();
  }

  /** @param {unknown} error @param {number} load @param {number} start_s @returns {Promise<boolean>} whether it plays now */
  async again(error, load, start_s) {
    try {
      if (!isRefusal(error) && !hasMoved(error)) throw error;
      this.link = await this.ask();
      if (load !== this.loads) return false;
      await this.take(start_s);
      return true;
    } catch (second) {
      if (load === this.loads) this.tell(second);
      return false;
    }
  }

  /** @param {number} start_s */
  async take(start_s) {
    const link = this.link;
    if (!link) return;
    const Kind = link.live_url ? (await import("./live.js")).LivePicture : (await import("./dash.js")).DashPicture;
    if (!(this.picture instanceof Kind)) {
      await this.picture?.stop();
      this.picture = new Kind(this.media, this.ears());
    }
    if (!link.live_url) this.hearing.have?.(null);
    await this.picture.start(link.live_url || link.manifest_url, start_s);
  }

  /** @returns {Hearing} */
  ears() {
    return {
      failed: (failure) => void this.failed(failure),
      tracks: () => this.hearing.tracks(),
      freshened: (uri) => (this.link ? freshen(uri, this.link) : uri),
      have: (have) => this.hearing.have?.(have),
      moved: () => this.hearing.moved?.(),
    };
  }

  /** @returns {Promise<Link>} */
  ask() {
    return post("/api/v1/links", { video_id: this.videoId });
  }

  schedule() {
    clearTimeout(this.timer);
    if (!this.link) return;
    const wait_ms = renewAfter(this.link.expires_at, Date.now() / 1000);
    this.timer = setTimeout(() => void this.renew().catch(() => this.schedule()), wait_ms);
  }

  /** Asks for a new link; what is asked for from now on goes under it. */
  renew() {
    const videoId = this.videoId;
    this.renewing ??= this.ask()
      .then((link) => {
        // What began while it came goes on so: its pieces stay as long as somebody plays them.
        if (videoId === this.videoId) this.link = { ...link, live_url: this.link?.live_url ? liveOf(link) : null };
        this.schedule();
      })
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  /** @param {Failure} failure */
  async failed(failure) {
    const now_ms = performance.now();
    this.renewals = this.renewals.filter((at_ms) => now_ms - at_ms < 60_000);
    const mayTry = this.renewals.length < RENEWALS_PER_MINUTE;
    if (mayTry && isRefusal(failure)) {
      this.renewals.push(now_ms);
      try {
        await this.renew();
        if (this.picture?.resume()) return;
      } catch (refused) {
        this.tell(refused);
        return;
      }
    }
    if (mayTry && hasMoved(failure)) {
      this.renewals.push(now_ms);
      await this.goOn(null);
      return;
    }
    if (failure.fatal) this.tell(failure);
  }

  /** Says what went wrong. A film that is still coming may be ready soon: looks for that. @param {unknown} error */
  tell(error) {
    if (/** @type {any} */ (error)?.code === "interrupted") return;
    this.hearing.trouble(troubleOf(error));
    if (this.link?.live_url) this.lookTimer = setTimeout(() => void this.look(), LOOK_AGAIN_MS);
  }

  async look() {
    const videoId = this.videoId;
    const link = await this.ask().catch(() => null);
    if (videoId !== this.videoId || !this.link?.live_url) return;
    if (link && !link.live_url) await this.goOn(link);
    else this.lookTimer = setTimeout(() => void this.look(), LOOK_AGAIN_MS);
  }

  /** Begins anew at the same second, and plays on if it played. @param {Link | null} link null: asks for one */
  async goOn(link) {
    const plays = !this.media.paused;
    await this.load(this.videoId, link, this.media.currentTime);
    if (plays) await this.media.play().catch(() => undefined);
  }

  /** Tries again where it stopped. */
  async retry() {
    const start_s = this.media.currentTime;
    this.hearing.trouble(null);
    if (this.picture && !this.media.error && this.media.readyState > 0) {
      await this.renew().catch(() => undefined);
      if (this.picture.resume()) return;
    }
    await this.load(this.videoId, null, start_s);
    await this.media.play().catch(() => undefined);
  }

  /** @returns {import("./holes.js").Hole[]} parts that no source had */
  holes() {
    return this.link?.live_url ? (this.picture?.holes?.() ?? []) : (this.link?.holes ?? []);
  }

  /** @returns {{height_px: number, active: boolean}[]} pictures to choose from, the best first */
  qualities() {
    return this.picture?.qualities() ?? [];
  }

  /** @param {number | null} height_px null: automatic */
  setQuality(height_px) {
    this.automatic = height_px === null;
    this.picture?.setQuality(height_px);
    this.hearing.tracks();
  }

  /** @returns {{id: number, label: string, active: boolean}[]} sounds to choose from */
  sounds() {
    return this.picture?.sounds?.() ?? [];
  }

  /** @param {number} id */
  setSound(id) {
    this.picture?.setSound?.(id);
    this.hearing.tracks();
  }

  /** @returns {{id: number, language: string, label: string, active: boolean}[]} */
  subtitles() {
    return this.picture?.subtitles() ?? [];
  }

  /** @param {number | null} id null: off */
  setSubtitles(id) {
    this.picture?.setSubtitles(id);
    this.hearing.tracks();
  }
}

/** Where the pieces of a film lie under a link to the finished one. @param {Link} link */
function liveOf(link) {
  return link.live_url ?? link.manifest_url.replace("/v/", "/w/").replace(/[^/]+$/, "");
}

/** The link is wrong or out of date. @param {any} error */
function isRefusal(error) {
  return [401, 403, 410].includes(error?.status) && !(error instanceof Refused);
}

/** It is ready by now, or comes in other pieces. @param {any} error */
function hasMoved(error) {
  return error?.code === "other_pieces" || error?.code === "ready";
}

/** What happened, what is kept, what to do. @param {number} status @param {boolean} network */
function sentence(status, network) {
  if (status === 404) return t("This film is not on the disk any more. Open its page to get it again.");
  if ([401, 403, 410].includes(status)) return t("The house did not let this page in. Your place is kept: sign in again, then press Retry.");
  if (network) return t("No connection to the house. What is loaded plays on; your place is kept on this device.");
  return t("This device cannot play the file. Choose another quality, or another device.");
}

/** @param {any} error @returns {Trouble} */
function troubleOf(error) {
  const refused = error instanceof Refused;
  const text = error?.text ?? sentence(error?.status ?? 0, refused || Boolean(error?.network));
  return { text, code: error?.code ?? "player" };
}
