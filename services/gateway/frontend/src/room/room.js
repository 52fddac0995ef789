/** A room's page: gestures become operations, vectors move the player, and the people are listed. */
import { Deck } from "../player/deck.js";
import { overHoles, passHoles } from "../player/holes.js";
import { announce } from "../player/session.js";
import { linkOf } from "../links.js";
import { part, say } from "../page/dom.js";
import { get } from "../page/http.js";
import { t } from "../words.js";
import { Connection } from "./connection.js";
import { Follower } from "./follower.js";
import { showMembers } from "./members.js";
import { keepPresent } from "../player/presence.js";
import { leadFor, positionAt } from "./timeline.js";

const REPORT_MS = 10_000;
const FIRST_REPORT_MS = 3000;
const SEEK_GAP_MS = 250; // held keys become a few operations, not thirty a second
const SETTLE_MS = 3000; // a place that was sent and never came is given up after so long
const LOST_AFTER_MS = 2000;

/** @typedef {import("../player.js").PlayerPage} PlayerPage */
/** @typedef {{video_id: string, label: string, duration_ms: number}} Item */
/** @typedef {PlayerPage & {room: NonNullable<PlayerPage["room"]>}} RoomPage */

class RoomPlayer {
  /** @param {RoomPage} page @param {HTMLVideoElement} media @param {import("../player/film.js").Film} film @param {HTMLElement} root */
  constructor(page, media, film, root) {
    this.page = page;
    this.media = media;
    this.film = film;
    this.root = root;
    this.items = /** @type {Item[]} */ ([]);
    this.members = [];
    this.own_id = "";
    /** @type {number | null} */
    this.wanted_ms = null;
    this.sought_ms = 0;
    /** first link comes with the page */
    /** @type {import("../links.js").Link | null} */
    this.firstLink = linkOf(page.video);
    const acts = this.acts();
    this.deck = new Deck(root, media, film, acts);
    passHoles(this.deck, false);
    film.hearing.trouble = (trouble) => this.deck.trouble(trouble);
    film.hearing.tracks = () => this.deck.settings?.refresh();
    film.hearing.have = (have) => this.deck.have(have);
    film.hearing.moved = () => this.note("moved", t("That source went away. Going on from another one at the same second."), 8000);
    announce(media, acts, { title: page.video.heading, artist: page.video.subheading, artwork: page.video.poster_url });
    const greeting = { token: page.room.token, room: page.room.room_id, downloads: false };
    this.connection = new Connection(greeting, {
      state: (state) => this.stated(state),
      vec: (vec) => this.follow(vec),
      ack: (ack) => this.acked(ack),
      presence: (presence) => this.present(presence.members),
      link: (up) => this.linked(up),
      gone: () => this.note("gone", t("This room has closed. Open the film again to make a new one.")),
    });
    this.follower = new Follower({
      media,
      clock: this.connection.clock,
      now: () => performance.now(),
      load: (item) => this.load(item),
      onMuted: () => this.offerSound(),
    });
    for (const button of this.itemButtons()) button.addEventListener("click", () => this.playItem(button.dataset.item ?? ""));
    void get("/api/v1/me").then((me) => {
      this.own_id = me.viewer_id;
      this.showOwn();
    }, () => undefined); // then this screen is listed like the others
    setTimeout(() => this.report(), FIRST_REPORT_MS);
    setInterval(() => this.report(), REPORT_MS);
    setInterval(() => this.showOwn(), 1000);
  }

  /** @returns {import("../player/deck.js").Acts} */
  acts() {
    return {
      wantsPlay: () => (this.follower?.vec?.rate ?? 0) > 0 && !this.follower.detached,
      play: () => this.act("play", {}),
      pause: () => (this.connection.isUp ? this.act("pause", {}) : this.follower.detach()),
      seekTo: (seconds) => this.seekTo(overHoles(this.film.holes(), seconds) * 1000),
      position_s: () => (this.wanted_ms ?? this.follower.target_ms()) / 1000,
      setRate: null,
      step: (step) => this.step(step),
      dubs: () => this.dubs(),
    };
  }

  /** Sends an operation of this person. @param {string} kind @param {object} facts */
  act(kind, facts) {
    const vec = this.follower.vec;
    if (!vec) return;
    if (!this.connection.isUp) {
      this.lostNote();
      return;
    }
    const lead_ms = leadFor(this.connection.clock.rtt_ms, this.follower.steering.seek_ms);
    this.connection.act({ opid: newId(), epoch: vec.epoch, base_v: vec.v, kind, lead_ms, ...facts });
  }

  /** @param {number} pos_ms */
  seekTo(pos_ms) {
    this.wanted_ms = pos_ms;
    const wait_ms = this.sought_ms + SEEK_GAP_MS - performance.now();
    clearTimeout(this.seekTimer);
    if (wait_ms <= 0) this.sendSeek();
    else this.seekTimer = setTimeout(() => this.sendSeek(), wait_ms);
  }

  sendSeek() {
    if (this.wanted_ms === null) return;
    this.sought_ms = performance.now();
    this.act("seek", { pos_ms: this.wanted_ms });
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => { this.wanted_ms = null; }, SETTLE_MS);
  }

  /** @param {string} item @param {number} [pos_ms] */
  playItem(item, pos_ms) {
    if (item && item !== this.follower.vec?.item) this.act("item", pos_ms === undefined ? { item } : { item, pos_ms });
  }

  /** @param {1 | -1} step */
  step(step) {
    const at = this.items.findIndex((item) => item.video_id === this.follower.vec?.item);
    const next = at < 0 ? undefined : this.items[at + step];
    if (next) this.playItem(next.video_id);
  }

  dubs() {
    const item = this.follower.vec?.item;
    const known = new Set(this.items.map((one) => one.video_id));
    const dubs = this.page.dubs.filter((dub) => known.has(dub.video_id));
    if (!dubs.some((dub) => dub.video_id === item)) return [];
    return dubs.map((dub) => ({
      text: dub.name,
      note: dub.kind,
      checked: dub.video_id === item,
      pick: () => this.playItem(dub.video_id, this.follower.target_ms()),
    }));
  }

  /** @param {any} state */
  stated(state) {
    this.items = state.room.items;
    this.present(state.members);
    this.follow(state.room.vec);
  }

  /** @param {import("./timeline.js").Vec} vec */
  follow(vec) {
    if (!this.follower.follow(vec)) return;
    // The answer to an earlier step of a held key is not yet where its later steps want to go.
    const arrived = this.wanted_ms !== null && Math.abs(vec.pos_ms - this.wanted_ms) < 1;
    if (vec.op === "item" || (vec.op === "seek" && arrived)) this.wanted_ms = null;
    this.showItem(vec.item);
    this.deck.show();
  }

  /** @param {any} ack */
  acked(ack) {
    if (ack.vec) this.follow(ack.vec);
    if (ack.status === "applied" || ack.status === "duplicate" || ack.status === "stale") return;
    this.wanted_ms = null;
    if (ack.status === "limited") this.note("limited", t("Too many steps at once. Wait a second."), 4000);
    else this.note("denied", t("The room did not take this step. Nothing has changed."), 4000);
  }

  /** @param {string} item */
  async load(item) {
    const first = item === this.page.video.video_id ? this.firstLink : null;
    this.firstLink = null;
    const vec = this.follower.vec;
    const pos_ms = vec ? positionAt(vec, this.follower.roomNow()) : 0;
    await this.film.load(item, first, pos_ms / 1000);
  }

  /** @param {string} item */
  showItem(item) {
    const found = this.items.find((one) => one.video_id === item);
    if (found) say(part(this.root, "heading"), found.label);
    for (const button of this.itemButtons()) {
      const now = button.dataset.item === item;
      button.setAttribute("aria-pressed", String(now));
    }
  }

  itemButtons() {
    return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button[data-item]"));
  }

  /** @param {any[]} members */
  present(members) {
    this.members = members;
    this.showOwn();
  }

  showOwn() {
    const own_ms = this.follower?.error_ms();
    showMembers(this.members, this.own_id, Number.isFinite(own_ms) ? own_ms : null);
  }

  report() {
    const error_ms = this.follower.error_ms();
    const { rtt_ms } = this.connection.clock;
    if (Number.isFinite(error_ms)) this.connection.report({ drift_ms: error_ms, rtt_ms, hidden: document.hidden });
  }

  /** @param {boolean} up */
  linked(up) {
    clearTimeout(this.lostTimer);
    if (up) this.withdrawNote("lost");
    else this.lostTimer = setTimeout(() => this.lostNote(), LOST_AFTER_MS);
  }

  lostNote() {
    this.note("lost", t("No connection to the room. The film plays on; you are back in step by yourself when it answers."));
  }

  offerSound() {
    this.deck.offer("sound", t("Unmute"), "i-sound", () => {
      this.media.muted = false;
    });
  }

  /** @param {string} name @param {string} text @param {number} [for_ms] */
  note(name, text, for_ms) {
    const box = document.querySelector('[data-part="room-note"]');
    if (!(box instanceof HTMLElement)) return;
    box.dataset.name = name;
    box.hidden = false;
    say(part(box, "room-note-text"), text);
    if (for_ms) setTimeout(() => this.withdrawNote(name), for_ms);
  }

  /** @param {string} name */
  withdrawNote(name) {
    const box = document.querySelector('[data-part="room-note"]');
    if (box instanceof HTMLElement && box.dataset.name === name) box.hidden = true;
  }
}

/** @returns {string} a fresh operation id; crypto.randomUUID is missing on pages without TLS */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sets the room's page going and returns what tests and the curious may read.
 * @param {RoomPage} page @param {HTMLVideoElement} media @param {import("../player/film.js").Film} film @param {HTMLElement} root
 */
export async function enterRoom(page, media, film, root) {
  keepPresent(() => film.videoId);
  const room = new RoomPlayer(page, media, film, root);
  const { follower, connection } = room;
  return {
    roomNow: () => follower.roomNow(),
    position: () => follower.target_ms() / 1000,
    error_ms: () => follower.error_ms(),
    vec: () => follower.vec,
    seeks: () => follower.seeks,
    steering: () => follower.steering,
    clock_error_ms: () => connection.clock.error_ms,
    connected: () => connection.isUp,
    /** one moment: room time, where the room is and where this player is, ms */
    sample: () => ({ room_ms: follower.roomNow(), target_ms: follower.target_ms(), position_ms: media.currentTime * 1000 }),
    drop: () => connection.socket.io.engine.close(),
  };
}
