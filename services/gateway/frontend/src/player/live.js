/**
 * A film that is still coming: hls.js over its whole playlist, or the element itself over its one file. A piece that is
 * not there yet is waited for by the house, so the whole seek bar works from the first second.
 */
import Hls from "hls.js";
import { t } from "../words.js";

const BUFFER_S = 30;
const KEEP_BEHIND_S = 60;
const LONGEST_WAIT_MS = 24_000; // the house answers within 20 s
const HAVE_EVERY_MS = 1500;
const PATIENCE = 3; // times that the house may say "not yet" in a row

/** @typedef {import("./film.js").Failure} Failure */
/** @typedef {import("./film.js").Hearing} Hearing */
/** @typedef {{generation: string, shape: "hls" | "file" | "none", duration_s: number | null, height_px: number | null,
 *   single: string | null, holes?: import("./holes.js").Hole[], texts: {file: string, language: string, label: string}[]}} Facts the house's `live.json` */

export class LivePicture {
  /** @param {HTMLVideoElement} media @param {Hearing} hearing */
  constructor(media, hearing) {
    this.media = media;
    this.hearing = hearing;
    /** @type {any} */
    this.hls = null;
    /** @type {Facts | null} */
    this.facts = null;
    this.base = "";
    this.waits = 0;
    this.generation = "";
    this.onError = () => this.mediaFailed();
  }

  /** @param {string} base the film's folder @param {number} start_s @throws {Failure} */
  async start(base, start_s) {
    await this.clear();
    this.base = base;
    const facts = await this.read("live.json");
    this.facts = facts;
    if (this.generation && this.generation !== facts.generation) this.hearing.moved();
    this.generation = facts.generation;
    if (facts.shape === "none") throw unplayable();
    if (facts.shape === "hls") this.playList(start_s);
    else this.playFile(start_s);
    for (const text of facts.texts) this.addText(text);
    this.watchHave();
    this.hearing.tracks();
  }

  /** @param {number} start_s */
  playList(start_s) {
    const patient = { maxNumRetry: 4, retryDelayMs: 300, maxRetryDelayMs: 3000 };
    const policy = { default: { maxTimeToFirstByteMs: LONGEST_WAIT_MS, maxLoadTimeMs: 60_000, timeoutRetry: patient, errorRetry: patient } };
    this.hls = new Hls({
      enableWorker: false, // a worker from a blob is nothing this page may run
      startPosition: start_s || 0,
      maxBufferLength: BUFFER_S,
      maxMaxBufferLength: BUFFER_S,
      backBufferLength: KEEP_BEHIND_S,
      manifestLoadPolicy: policy,
      playlistLoadPolicy: policy,
      fragLoadPolicy: policy,
      xhrSetup: (/** @type {XMLHttpRequest} */ xhr, /** @type {string} */ url) => xhr.open("GET", this.hearing.freshened(url), true),
    });
    this.hls.on(Hls.Events.ERROR, (/** @type {string} */ _name, /** @type {any} */ error) => this.hlsFailed(error));
    this.hls.on(Hls.Events.FRAG_BUFFERED, () => { this.waits = 0; });
    for (const name of [Hls.Events.AUDIO_TRACKS_UPDATED, Hls.Events.LEVEL_SWITCHED]) this.hls.on(name, () => this.hearing.tracks());
    this.hls.loadSource(this.url(this.facts?.single ?? "master.m3u8"));
    this.hls.attachMedia(this.media);
  }

  /** @param {number} start_s */
  playFile(start_s) {
    this.media.addEventListener("error", this.onError);
    this.media.preload = "auto";
    this.media.src = this.url("film");
    if (start_s) this.media.currentTime = start_s;
  }

  /** @param {string} file of the present cutting */
  url(file) {
    return this.hearing.freshened(`${this.base}${this.generation}/${file}`);
  }

  /** @param {string} file @returns {Promise<any>} @throws {Failure} */
  async read(file) {
    const answer = await fetch(this.hearing.freshened(this.base + file), { cache: "no-store" }).catch(() => null);
    if (answer === null) throw { status: 0, network: true, code: "house_silent", fatal: true };
    if (answer.ok) return answer.json();
    throw failureOf(answer.status, await answer.text());
  }

  /** @param {{file: string, language: string, label: string}} text */
  addText(text) {
    const track = document.createElement("track");
    track.kind = "subtitles";
    track.label = text.label;
    track.srclang = text.language === "und" ? "" : text.language;
    track.src = this.url(text.file);
    track.dataset.live = "";
    this.media.append(track);
  }

  watchHave() {
    clearInterval(this.haveTimer);
    const look = async () => {
      const have = await this.read("have.json").catch(() => null);
      if (have) this.hearing.have(have);
    };
    void look();
    this.haveTimer = setInterval(() => void look(), HAVE_EVERY_MS);
  }

  /** @param {any} error of hls.js */
  hlsFailed(error) {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
      this.mended = true;
      this.hls.recoverMediaError();
      return;
    }
    if (error.type !== Hls.ErrorTypes.NETWORK_ERROR) {
      this.hearing.failed({ ...unplayable(), code: `live_${error.details}` });
      return;
    }
    const status = error.response?.code ?? 0;
    const failure = failureOf(status, bodyOf(error.networkDetails));
    if (failure.code === "left_out") {
      void this.passOver(failure);
      return;
    }
    const passes = failure.network || failure.code === "still_coming" || failure.code === "starting";
    if (passes && this.waits++ < PATIENCE) this.resume();
    else this.hearing.failed(failure);
  }

  /** A piece will not come: its list names it as a gap by now. @param {Failure} failure */
  async passOver(failure) {
    const plays = !this.media.paused;
    try {
      await this.start(this.base, this.media.currentTime);
      if (plays) await this.media.play().catch(() => undefined);
    } catch {
      this.hearing.failed(failure);
    }
  }

  /** @returns {import("./holes.js").Hole[]} */
  holes() {
    return this.facts?.holes ?? [];
  }

  mediaFailed() {
    const code = this.media.error?.code ?? 0;
    if (code !== MediaError.MEDIA_ERR_NETWORK || this.waits++ >= PATIENCE) {
      this.hearing.failed({ ...unplayable(), code: `live_media_${code}` });
      return;
    }
    const at_s = this.media.currentTime;
    void this.read("live.json").then(
      () => this.playFile(at_s),
      (/** @type {Failure} */ failure) => this.hearing.failed(failure),
    );
  }

  /** Goes on after a failure. @returns {boolean} whether there is something to go on with */
  resume() {
    if (!this.hls) return false;
    this.hls.startLoad();
    return true;
  }

  async stop() {
    await this.clear();
    this.media.removeAttribute("src");
    this.media.load();
  }

  async clear() {
    clearInterval(this.haveTimer);
    this.media.removeEventListener("error", this.onError);
    for (const track of this.media.querySelectorAll("track[data-live]")) track.remove();
    this.hls?.destroy();
    this.hls = null;
    this.mended = false;
  }

  /** @returns {{height_px: number, active: boolean}[]} */
  qualities() {
    const height_px = this.facts?.height_px || this.media.videoHeight;
    return height_px ? [{ height_px, active: true }] : [];
  }

  /** @param {number | null} _height_px one height comes; others are films of their own */
  setQuality(_height_px) {}

  /** @returns {{id: number, language: string, label: string, active: boolean}[]} */
  subtitles() {
    return this.texts().map((one, id) => ({
      id,
      language: one.track.language,
      label: one.track.label,
      active: one.track.mode === "showing",
    }));
  }

  /** @param {number | null} id null: off */
  setSubtitles(id) {
    this.texts().forEach((one, at) => { one.track.mode = at === id ? "showing" : "disabled"; });
  }

  texts() {
    return /** @type {HTMLTrackElement[]} */ ([...this.media.querySelectorAll("track[data-live]")]);
  }
}

/** @returns {Failure} */
function unplayable() {
  const text = t("This film cannot be played while it comes. It begins by itself when it is ready.");
  return { status: 0, network: false, code: "not_while_it_comes", fatal: true, text };
}

/** @param {XMLHttpRequest | undefined} request @returns {string} what came, whatever it was asked for as */
function bodyOf(request) {
  const body = request?.response;
  return body instanceof ArrayBuffer ? new TextDecoder().decode(body) : typeof body === "string" ? body : "";
}

/** @param {number} status @param {string} body a problem of the house, or anything @returns {Failure} */
function failureOf(status, body) {
  /** @type {any} */
  let problem = {};
  try {
    problem = JSON.parse(body);
  } catch {
    // Nginx, or nobody, answered
  }
  const code = problem.state === "ready" ? "ready" : (problem.code ?? "live");
  return { status, network: status === 0 || status === 503, code, fatal: true, text: status === 404 || status === 502 ? problem.detail : undefined };
}
