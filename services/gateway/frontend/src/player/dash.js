/** A film that is on the disk: Shaka Player over its manifest. One of the two ways in which `film.js` plays. */
import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";

const BUFFER_S = 30;
const KEEP_BEHIND_S = 60;
const FIRST_GUESS_BIT_S = 40_000_000; // a home network: begin with the best picture

/** @typedef {import("./film.js").Failure} Failure */
/** @typedef {import("./film.js").Hearing} Hearing */

export class DashPicture {
  /** @param {HTMLVideoElement} media @param {Hearing} hearing */
  constructor(media, hearing) {
    this.media = media;
    this.hearing = hearing;
    /** @type {any} */
    this.player = null;
    this.onNativeError = () => this.hearing.failed({ status: 0, network: false, code: "native", fatal: true });
  }

  async prepare() {
    this.player = new shaka.Player();
    await this.player.attach(this.media);
    const retryParameters = { maxAttempts: 4, baseDelay: 300, backoffFactor: 2, fuzzFactor: 0.5, timeout: 20_000 };
    this.player.configure({
      streaming: { bufferingGoal: BUFFER_S, bufferBehind: KEEP_BEHIND_S, retryParameters },
      manifest: { retryParameters },
      abr: { defaultBandwidthEstimate: FIRST_GUESS_BIT_S },
    });
    this.player.getNetworkingEngine().registerRequestFilter((/** @type {any} */ _type, /** @type {any} */ request) => {
      request.uris = request.uris.map((/** @type {string} */ uri) => this.hearing.freshened(uri));
    });
    this.player.addEventListener("error", (/** @type {any} */ event) => {
      const failure = failureOf(event.detail);
      if (failure) this.hearing.failed(failure);
    });
    for (const name of ["trackschanged", "variantchanged", "textchanged", "adaptation"]) {
      this.player.addEventListener(name, () => this.hearing.tracks());
    }
  }

  /** @param {string} url @param {number} start_s @throws {Failure} */
  async start(url, start_s) {
    if (!shaka.Player.isBrowserSupported()) {
      this.media.addEventListener("error", this.onNativeError); // older phones of Apple play HLS by themselves
      this.media.src = url.replace(/[^/]+$/, "master.m3u8");
      this.media.currentTime = start_s;
      return;
    }
    if (!this.player) await this.prepare();
    try {
      await this.player.load(url, start_s || null, "application/dash+xml");
    } catch (error) {
      throw failureOf(/** @type {any} */ (error)) ?? { status: 0, network: false, code: "interrupted", fatal: false };
    }
  }

  async stop() {
    this.media.removeEventListener("error", this.onNativeError);
    await this.player?.destroy();
    this.player = null;
  }

  /** Goes on after a failure. @returns {boolean} whether there is something to go on with */
  resume() {
    if (!this.player?.getAssetUri() || this.media.error || this.media.readyState === 0) return false;
    return this.player.retryStreaming(0.1);
  }

  /** @returns {{height_px: number, active: boolean}[]} pictures to choose from, the best first */
  qualities() {
    /** @type {Map<number, boolean>} */
    const heights = new Map();
    for (const track of this.player?.getVariantTracks() ?? []) {
      if (track.height) heights.set(track.height, Boolean(heights.get(track.height)) || track.active);
    }
    return [...heights].map(([height_px, active]) => ({ height_px, active })).sort((a, b) => b.height_px - a.height_px);
  }

  /** @param {number | null} height_px null: automatic */
  setQuality(height_px) {
    this.player?.configure("abr.enabled", height_px === null);
    if (height_px === null || !this.player) return;
    const tracks = this.player.getVariantTracks();
    const now = tracks.find((/** @type {any} */ track) => track.active);
    const same = tracks.filter((/** @type {any} */ track) => track.height === height_px);
    const chosen = same.find((/** @type {any} */ track) => track.audioId === now?.audioId) ?? same[0];
    if (chosen) this.player.selectVariantTrack(chosen, true, 2);
  }

  /** @returns {{id: number, label: string, active: boolean}[]} sounds to choose from */
  sounds() {
    return (this.player?.getAudioTracks() ?? []).map((/** @type {any} */ track, /** @type {number} */ id) => ({
      id,
      label: track.label ?? "",
      active: track.active,
    }));
  }

  /** @param {number} id */
  setSound(id) {
    const track = this.player?.getAudioTracks()[id];
    if (track) this.player.selectAudioTrack(track, 2);
  }

  /** @returns {{id: number, language: string, label: string, active: boolean}[]} */
  subtitles() {
    return (this.player?.getTextTracks() ?? []).map((/** @type {any} */ track) => ({
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
  }
}

/** @param {any} error of Shaka @returns {Failure | null} null: it was only interrupted */
function failureOf(error) {
  const { Code, Severity } = shaka.util.Error;
  if ([Code.LOAD_INTERRUPTED, Code.OPERATION_ABORTED].includes(error?.code)) return null;
  const status = error?.code === Code.BAD_HTTP_STATUS ? Number(error.data?.[1]) || 0 : 0;
  const code = `player_${error?.category ?? 0}_${error?.code ?? 0}`;
  return { status, network: error?.category === 1, code, fatal: error?.severity === Severity.CRITICAL };
}
