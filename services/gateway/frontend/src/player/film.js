/**
 * One video in one media element: Shaka Player, the signed link and its renewal, tracks, and troubles in plain words.
 */
import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import { freshen, renewAfter } from "../links.js";
import { post, Refused } from "../page/http.js";
import { t } from "../words.js";

const BUFFER_S = 30;
const KEEP_BEHIND_S = 60;
const FIRST_GUESS_BIT_S = 40_000_000; // a home network: begin with the best picture
const RENEWALS_PER_MINUTE = 4;

/** @typedef {import("../links.js").Link} Link */
/** @typedef {{text: string, code: string}} Trouble */

export class Film {
  /**
   * @param {HTMLVideoElement} media
   * @param {{trouble: (trouble: Trouble | null) => void, tracks: () => void}} hearing
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
    this.native = false;
    this.loads = 0;
    /** @type {any} */
    this.player = null;
  }

  async open() {
    if (!shaka.Player.isBrowserSupported()) {
      this.native = true; // no Media Source Extensions (older phones of Apple): the browser plays HLS by itself
      this.media.addEventListener("error", () => this.hearing.trouble({ text: sentence(0, 0), code: "native" }));
      return;
    }
    this.player = new shaka.Player();
    await this.player.attach(this.media);
    const retryParameters = { maxAttempts: 4, baseDelay: 300, backoffFactor: 2, fuzzFactor: 0.5, timeout: 20_000 };
    this.player.configure({
      streaming: { bufferingGoal: BUFFER_S, bufferBehind: KEEP_BEHIND_S, retryParameters },
      manifest: { retryParameters },
      abr: { defaultBandwidthEstimate: FIRST_GUESS_BIT_S },
    });
    this.player.getNetworkingEngine().registerRequestFilter((/** @type {any} */ _type, /** @type {any} */ request) => {
      const link = this.link;
      if (link) request.uris = request.uris.map((/** @type {string} */ uri) => freshen(uri, link));
    });
    this.player.addEventListener("error", (/** @type {any} */ event) => void this.failed(event.detail));
    for (const name of ["trackschanged", "variantchanged", "textchanged", "adaptation"]) {
      this.player.addEventListener(name, () => this.hearing.tracks());
    }
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
      if (!isRefusal(error)) throw error;
      this.link = await this.ask();
      if (load !== this.loads) return false;
      await this.take(start_s);
      return true;
    } catch (second) {
      if (load === this.loads && !isInterrupted(second)) this.hearing.trouble(troubleOf(second));
      return false;
    }
  }

  /** @param {number} start_s */
  async take(start_s) {
    if (!this.link) return;
    if (this.native) {
      this.media.src = this.link.manifest_url.replace(/[^/]+$/, "master.m3u8");
      this.media.currentTime = start_s;
      return;
    }
    await this.player.load(this.link.manifest_url, start_s || null, "application/dash+xml");
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
        if (videoId === this.videoId) this.link = link;
        this.schedule();
      })
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  /** @param {any} error of Shaka */
  async failed(error) {
    if (isInterrupted(error)) return;
    const now_ms = performance.now();
    this.renewals = this.renewals.filter((at_ms) => now_ms - at_ms < 60_000);
    if (isRefusal(error) && this.renewals.length < RENEWALS_PER_MINUTE) {
      this.renewals.push(now_ms);
      try {
        await this.renew();
        if (this.player.retryStreaming(0.1)) return;
      } catch (refused) {
        this.hearing.trouble(troubleOf(refused));
        return;
      }
    }
    if (error.severity === shaka.util.Error.Severity.CRITICAL) this.hearing.trouble(troubleOf(error));
  }

  /** Tries again where it stopped. */
  async retry() {
    const start_s = this.media.currentTime;
    this.hearing.trouble(null);
    if (this.player && this.player.getAssetUri() && !this.media.error && this.media.readyState > 0) {
      await this.renew().catch(() => undefined);
      if (this.player.retryStreaming(0.1)) return;
    }
    await this.load(this.videoId, null, start_s);
  }

  /** @returns {{height_px: number, active: boolean}[]} pictures to choose from, the best first */
  qualities() {
    if (!this.player) return [];
    /** @type {Map<number, boolean>} */
    const heights = new Map();
    for (const track of this.player.getVariantTracks()) {
      if (track.height) heights.set(track.height, Boolean(heights.get(track.height)) || track.active);
    }
    return [...heights].map(([height_px, active]) => ({ height_px, active })).sort((a, b) => b.height_px - a.height_px);
  }

  /** @param {number | null} height_px null: automatic */
  setQuality(height_px) {
    this.automatic = height_px === null;
    this.player?.configure("abr.enabled", this.automatic);
    if (height_px !== null) {
      const tracks = this.player.getVariantTracks();
      const now = tracks.find((/** @type {any} */ track) => track.active);
      const same = tracks.filter((/** @type {any} */ track) => track.height === height_px);
      const chosen = same.find((/** @type {any} */ track) => track.language === now?.language) ?? same[0];
      if (chosen) this.player.selectVariantTrack(chosen, true, 2);
    }
    this.hearing.tracks();
  }

  /** @returns {{id: number, language: string, label: string, active: boolean}[]} */
  subtitles() {
    if (!this.player) return [];
    return this.player.getTextTracks().map((/** @type {any} */ track) => ({
      id: track.id,
      language: track.language,
      label: track.label ?? "",
      active: track.active,
    }));
  }

  /** @param {number | null} id null: off */
  setSubtitles(id) {
    const track = this.player?.getTextTracks().find((/** @type {any} */ one) => one.id === id) ?? null;
    this.player?.selectTextTrack(track);
    this.hearing.tracks();
  }
}

/** @param {any} error */
function httpStatus(error) {
  if (error instanceof Refused) return error.status;
  return error?.code === shaka.util.Error.Code.BAD_HTTP_STATUS ? Number(error.data?.[1]) || 0 : 0;
}

/** The link is wrong or out of date. @param {any} error */
function isRefusal(error) {
  return [401, 403, 410].includes(httpStatus(error)) && !(error instanceof Refused);
}

/** @param {any} error */
function isInterrupted(error) {
  return [shaka.util.Error.Code.LOAD_INTERRUPTED, shaka.util.Error.Code.OPERATION_ABORTED].includes(error?.code);
}

/** What happened, what is kept, what to do. @param {number} status @param {number} category @param {boolean} [network] */
function sentence(status, category, network = false) {
  if (status === 404) return t("This film is not on the disk any more. Open its page to get it again.");
  if ([401, 403, 410].includes(status)) return t("The house did not let this page in. Your place is kept: sign in again, then press Retry.");
  if (network || category === 1) return t("No connection to the house. What is loaded plays on; your place is kept on this device.");
  return t("This device cannot play the file. Choose another quality, or another device.");
}

/** @param {any} error @returns {Trouble} */
function troubleOf(error) {
  const network = error instanceof Refused;
  const code = network ? error.code : `player_${error?.category ?? 0}_${error?.code ?? 0}`;
  return { text: sentence(httpStatus(error), error?.category ?? 0, network), code };
}
