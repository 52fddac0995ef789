/**
 * The controls of the player: buttons, keys, time, panels, what hides and when. What a control means is not decided here
 * but by `acts`: alone it moves the element, in a room it asks the room.
 */
import { part, say, set, setIcon } from "../page/dom.js";
import { clockText, number, t } from "../words.js";
import { actionOf, isTaken } from "./keys.js";
import { Menu } from "./menu.js";
import { SeekBar } from "./seekbar.js";
import { settingsColumns, SPEEDS, speedColumn } from "./settings.js";
import { offerSkips } from "./skips.js";
import { Sprites } from "./sprites.js";

const HIDE_AFTER_MS = 3000;
const FRAME_S = 1 / 25;
const SLOW_DATA_MS = 700;
const NOTE_MS = 8000;

/**
 * @typedef {object} Acts what a gesture does
 * @property {() => boolean} wantsPlay
 * @property {() => void} play
 * @property {() => void} pause
 * @property {(seconds: number) => void} seekTo
 * @property {() => number} position_s
 * @property {((rate: number) => void) | null} setRate null: the room has one speed for all
 * @property {(step: 1 | -1) => void} step next or previous episode
 * @property {() => import("./menu.js").Choice[]} dubs
 */

export class Deck {
  /** @param {HTMLElement} root @param {HTMLVideoElement} media @param {import("./film.js").Film} film @param {Acts} acts */
  constructor(root, media, film, acts) {
    this.root = root;
    this.media = media;
    this.film = film;
    this.acts = acts;
    this.lastInput_ms = performance.now();
    this.starved_ms = 0;
    this.noted = "";
    this.noted_ms = -Infinity;
    /** @type {(() => void) | null} */
    this.offered = null;
    this.offerName = "";
    const seek = /** @type {HTMLElement} */ (root.querySelector(".seek"));
    this.bar = new SeekBar(seek, (seconds) => acts.seekTo(seconds));
    const small = part(seek, "peek-picture");
    if (small) this.bar.sprites = new Sprites(/** @type {any} */ (small), () => film.link);
    this.settings = this.menu("settings", () => settingsColumns(film, acts.dubs()));
    this.speed = acts.setRate ? this.menu("speed", () => [speedColumn(media.playbackRate, (rate) => acts.setRate?.(rate))]) : null;
    this.wire();
    this.listen();
    offerSkips(this);
    this.timer = setInterval(() => this.show(), 250);
    this.show();
  }

  /** @param {string} name @param {() => import("./menu.js").Column[]} columns */
  menu(name, columns) {
    const button = part(this.root, `${name}-button`);
    const panel = part(this.root, name);
    if (!button || !panel) return null;
    return new Menu(button, panel, columns, (open) => {
      if (open) for (const other of [this.settings, this.speed]) if (other && other.panel !== panel) other.close();
      this.touch();
    });
  }

  wire() {
    /** @type {Record<string, () => void>} */
    const presses = {
      play: () => this.toggle(),
      back: () => this.by(-10),
      ahead: () => this.by(10),
      opening: () => this.by(80),
      sound: () => this.mute(),
      pip: () => void this.pip(),
      full: () => void this.full(),
      offer: () => this.takeOffer(),
      help: () => this.dialog("keys"),
      share: () => this.dialog("share"),
      retry: () => void this.film.retry(),
    };
    for (const [name, press] of Object.entries(presses)) part(this.root, name)?.addEventListener("click", press);
    const volume = /** @type {HTMLInputElement | null} */ (part(this.root, "volume"));
    volume?.addEventListener("input", () => this.setVolume(Number(volume.value)));
    const pip = part(this.root, "pip");
    if (pip && !document.pictureInPictureEnabled) pip.hidden = true;
  }

  listen() {
    const { media, root } = this;
    for (const name of ["play", "pause", "seeking", "seeked", "durationchange", "volumechange", "ratechange", "ended", "timeupdate"]) {
      media.addEventListener(name, () => this.show());
    }
    for (const name of ["waiting", "stalled"]) media.addEventListener(name, () => { this.starved_ms ||= performance.now(); });
    for (const name of ["playing", "canplay", "seeked"]) media.addEventListener(name, () => { this.starved_ms = 0; });
    let wakes = false; // a finger on the hidden deck only wakes it
    root.addEventListener("pointerdown", (event) => { wakes = event.pointerType === "touch" && "idle" in root.dataset; }, true);
    root.addEventListener("click", (event) => {
      if (wakes) event.stopPropagation();
      if (wakes) event.preventDefault();
      wakes = false;
    }, true);
    for (const name of ["pointermove", "pointerdown", "focusin"]) root.addEventListener(name, () => this.touch());
    part(root, "picture")?.addEventListener("click", (event) => this.pressPicture(/** @type {PointerEvent} */ (event)));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", (event) => this.pressOutside(event));
    document.addEventListener("fullscreenchange", () => this.show());
  }

  toggle() {
    if (this.acts.wantsPlay()) this.acts.pause();
    else this.acts.play();
    this.show();
  }

  /** @param {number} seconds */
  by(seconds) {
    this.seek(this.acts.position_s() + seconds);
  }

  /** @param {number} seconds */
  seek(seconds) {
    const end = Number.isFinite(this.media.duration) ? this.media.duration - 0.1 : Infinity;
    this.acts.seekTo(Math.max(0, Math.min(end, seconds)));
    this.show();
  }

  mute() {
    this.media.muted = !this.media.muted;
    if (!this.media.muted && this.media.volume === 0) this.media.volume = 0.5;
    this.withdraw("sound");
  }

  /** @param {number} volume */
  setVolume(volume) {
    this.media.volume = Math.min(1, Math.max(0, volume));
    this.media.muted = this.media.volume === 0;
    this.withdraw("sound");
  }

  async pip() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture().catch(() => undefined);
    else await this.media.requestPictureInPicture?.().catch(() => undefined);
  }

  async full() {
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
    else if (this.root.requestFullscreen) await this.root.requestFullscreen().catch(() => undefined);
    else /** @type {any} */ (this.media).webkitEnterFullscreen?.();
  }

  /** @param {string} id */
  dialog(id) {
    const dialog = document.getElementById(id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  }

  /** Puts one offer into the slot over the deck. @param {string} name @param {string} text @param {string} icon @param {() => void} take */
  offer(name, text, icon, take) {
    const button = part(this.root, "offer");
    if (!button || this.offerName === name) return;
    this.offerName = name;
    this.offered = take;
    setIcon(button, icon);
    say(part(button, "offer-text"), text);
    button.hidden = false;
    this.touch();
  }

  /** @param {string} name only if it is this one */
  withdraw(name) {
    const button = part(this.root, "offer");
    if (!button || this.offerName !== name) return;
    this.offerName = "";
    this.offered = null;
    button.hidden = true;
  }

  takeOffer() {
    const take = this.offered;
    this.withdraw(this.offerName);
    take?.();
  }

  /** @param {import("./film.js").Trouble | null} trouble null: all is well again */
  trouble(trouble) {
    const box = part(this.root, "trouble");
    if (!box) return;
    box.hidden = trouble === null;
    say(part(box, "trouble-text"), trouble?.text ?? "");
    say(part(box, "trouble-code"), trouble?.code ?? "");
    this.touch();
  }

  /** @param {PointerEvent} event */
  pressPicture(event) {
    if (event.pointerType === "touch") return; // a touch only wakes the deck
    if (this.settings?.isOpen || this.speed?.isOpen) return;
    this.toggle();
  }

  /** @param {PointerEvent} event */
  pressOutside(event) {
    for (const menu of [this.settings, this.speed]) {
      const target = /** @type {Node} */ (event.target);
      if (menu?.isOpen && !menu.panel.contains(target) && !menu.button.contains(target)) setTimeout(() => menu.close(), 0);
    }
  }

  /** What of the film the house has. @param {[number, number][] | null} have stretches, seconds; null: all */
  have(have) {
    this.bar.showHave(have);
    const mark = part(this.root, "where");
    if (!mark) return;
    const all_s = this.bar.duration_s;
    const there_s = have?.reduce((sum, [from_s, to_s]) => sum + to_s - from_s, 0) ?? all_s;
    const whole = have === null || (all_s > 0 && there_s >= all_s - 1);
    set(mark, "class", `mark mark--${whole ? "home" : "coming"}`);
    const percent = all_s > 0 ? Math.floor((there_s / all_s) * 100) : 0;
    say(mark.firstElementChild, whole ? t("on disk") : t("coming, %(n)s %", { n: percent }));
  }

  /** A word that passes. @param {string} text */
  note(text) {
    this.noted_ms = performance.now();
    this.noted = text;
    this.touch();
    this.show();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    this.touch();
    if (event.defaultPrevented || isTaken(document.activeElement, event.code)) return;
    const action = actionOf(event);
    if (!action) return;
    /** @type {Record<string, (by: number) => void>} */
    const does = {
      toggle: () => this.toggle(),
      by: (by) => this.by(by),
      tenth: (by) => this.seek((this.media.duration || 0) * (by / 10)),
      frame: (by) => { if (!this.acts.wantsPlay()) this.by(by * FRAME_S); },
      louder: (by) => this.setVolume(this.media.volume + by),
      mute: () => this.mute(),
      faster: (by) => this.faster(by),
      offer: () => this.takeOffer(),
      next: () => this.acts.step(1),
      previous: () => this.acts.step(-1),
      subtitles: () => this.flipSubtitles(),
      settings: () => this.settings?.toggle(),
      full: () => void this.full(),
      pip: () => void this.pip(),
      help: () => this.dialog("keys"),
    };
    if (action.act === "close") {
      if (!this.settings?.isOpen && !this.speed?.isOpen) return;
      this.settings?.close(true);
      this.speed?.close(true);
    } else if (!does[action.act]) return;
    else does[action.act](action.by);
    event.preventDefault();
  }

  /** @param {number} step */
  faster(step) {
    const at = SPEEDS.indexOf(this.media.playbackRate);
    const next = SPEEDS[(at < 0 ? SPEEDS.indexOf(1) : at) + step];
    if (next) this.acts.setRate?.(next);
  }

  flipSubtitles() {
    const tracks = this.film.subtitles();
    this.film.setSubtitles(tracks.some((track) => track.active) ? null : (tracks[0]?.id ?? null));
  }

  /** Somebody is there: shows the deck. */
  touch() {
    this.lastInput_ms = performance.now();
    if ("idle" in this.root.dataset) delete this.root.dataset.idle;
  }

  isHeld() {
    const open = this.settings?.isOpen || this.speed?.isOpen || part(this.root, "trouble")?.hidden === false;
    return open || this.bar.held || !this.acts.wantsPlay() || this.root.querySelector(":focus-visible:not(video)") !== null;
  }

  show() {
    const { media, root, acts } = this;
    const playing = acts.wantsPlay();
    const button = part(root, "play");
    setIcon(button, playing ? "i-pause" : "i-play");
    if (button) set(button, "aria-label", button.dataset[playing ? "pause" : "play"] ?? "");
    const silent = media.muted || media.volume === 0;
    const sound = part(root, "sound");
    setIcon(sound, silent ? "i-mute" : "i-sound");
    if (sound) set(sound, "aria-label", silent ? t("Sound, off") : t("Sound, %(n)s %", { n: Math.round(media.volume * 100) }));
    const volume = /** @type {HTMLInputElement | null} */ (part(root, "volume"));
    if (volume && document.activeElement !== volume) volume.value = String(silent ? 0 : media.volume);
    this.bar.show(media.currentTime, media.duration);
    const all = Number.isFinite(media.duration) ? media.duration : Number(root.dataset.duration) || 0;
    say(part(root, "time"), `${clockText(media.currentTime)} / ${clockText(all)}`);
    this.showSpeed();
    const starved = this.starved_ms > 0 && performance.now() - this.starved_ms > SLOW_DATA_MS && playing;
    const noted = performance.now() - this.noted_ms < NOTE_MS ? this.noted : "";
    say(part(root, "state"), starved ? t("fetching") : noted);
    if (performance.now() - this.lastInput_ms > HIDE_AFTER_MS && !this.isHeld()) root.dataset.idle = "";
    else if ("idle" in root.dataset && this.isHeld()) delete root.dataset.idle;
  }

  showSpeed() {
    const button = part(this.root, "speed-button");
    if (!button || !this.acts.setRate) return;
    const text = `${number(this.media.playbackRate, 2)}×`;
    say(button, text);
    set(button, "aria-label", t("%(rate)s, speed", { rate: text }));
  }
}
