/** Entry of the two pages that play: alone, and in a room. Facts of the page come from its JSON blocks. */
import { Deck } from "./player/deck.js";
import { Film } from "./player/film.js";
import { overHoles, passHoles } from "./player/holes.js";
import { keepPlace, rememberedPlace } from "./player/place.js";
import { goBeside, keepPresent } from "./player/presence.js";
import { announce } from "./player/session.js";
import { isLastEnding } from "./player/skips.js";
import { linkOf } from "./links.js";
import { copyButtons, part, readBlock } from "./page/dom.js";
import { enterRoom } from "./room/room.js";
import { readWords, t } from "./words.js";

const OFFER_FOR_MS = 10_000;
const NEXT_OFFER_S = 20;

/**
 * @typedef {object} PlayerPage the JSON block `player-page`
 * @property {{video_id: string, heading: string, subheading: string, poster_url: string, duration_s: number,
 *   manifest_url: string, live_url: string | null, link_expires_at: number, sprites: boolean,
 *   skips: import("./player/skips.js").Skip[], holes: import("./player/holes.js").Hole[], start_s: number}} video
 * @property {{name: string, label: string, kind: string, video_id: string, url: string, current: boolean}[]} dubs
 * @property {{label: string, url: string, video_id: string} | null} previous
 * @property {{label: string, url: string, video_id: string} | null} next
 * @property {boolean} series there may be episodes before and after it, here or at its source
 * @property {string} position_url
 * @property {{room_id: string, token: string} | null} room null: watched alone
 */

/** @param {number} at_s in the page's own address: `?t=83` */
function withTime(at_s) {
  const url = new URL(location.href);
  if (at_s >= 1) url.searchParams.set("t", String(Math.floor(at_s)));
  return url.pathname + url.search;
}

/** @param {PlayerPage} page @param {HTMLVideoElement} media @param {Film} film @returns {import("./player/deck.js").Acts} */
function soloActs(page, media, film) {
  return {
    wantsPlay: () => !media.paused && !media.ended,
    play: () => {
      media.play().catch(() => undefined); // refused without a gesture: the button stays as it is
    },
    pause: () => media.pause(),
    seekTo: (seconds) => {
      media.currentTime = overHoles(film.holes(), seconds);
    },
    position_s: () => media.currentTime,
    setRate: (rate) => {
      media.defaultPlaybackRate = rate;
      media.playbackRate = rate;
    },
    step: (step) => {
      const to = step > 0 ? page.next : page.previous;
      if (to) location.assign(to.url);
      else if (page.series) void goBeside(page, step);
    },
    dubs: () =>
      page.dubs.map((dub) => ({
        text: dub.name,
        label: dub.label,
        note: dub.kind,
        checked: dub.current,
        href: dub.current ? undefined : `${dub.url}${dub.url.includes("?") ? "&" : "?"}t=${Math.floor(media.currentTime)}`,
      })),
  };
}

/** @param {PlayerPage} page @param {HTMLVideoElement} media @param {Film} film @param {HTMLElement} root */
async function watchAlone(page, media, film, root) {
  const { video } = page;
  const acts = soloActs(page, media, film);
  const deck = new Deck(root, media, film, acts);
  passHoles(deck, true);
  film.hearing.trouble = (trouble) => deck.trouble(trouble);
  film.hearing.tracks = () => deck.settings?.refresh();
  film.hearing.have = (have) => deck.have(have);
  film.hearing.moved = () => deck.note(t("That source went away. Going on from another one at the same second."));
  const asked = new URLSearchParams(location.search).get("t");
  const start_s = asked === null ? video.start_s || rememberedPlace(video.video_id) : Math.max(0, Number(asked) || 0);
  announce(media, acts, { title: video.heading, artist: video.subheading, artwork: video.poster_url });
  prepareShare(media);
  keepPresent(() => film.videoId);
  await film.load(video.video_id, linkOf(video), overHoles(video.holes, start_s));
  keepPlace(media, video.video_id, page.position_url);
  if (start_s > 0 && asked === null) {
    deck.offer("start", t("From the start"), "i-back", () => deck.seek(0));
    setTimeout(() => deck.withdraw("start"), OFFER_FOR_MS);
  }
  media.addEventListener("timeupdate", () => offerNext(page, media, deck));
  await media.play().catch(() => undefined);
  return deck;
}

/** @param {PlayerPage} page @param {HTMLVideoElement} media @param {Deck} deck */
function offerNext(page, media, deck) {
  const { next } = page;
  if (!next && !page.series) return;
  const over = media.duration - media.currentTime < NEXT_OFFER_S || isLastEnding(deck.film.link?.skips ?? [], media.currentTime, media.duration);
  if (over && media.duration > 3 * NEXT_OFFER_S) {
    const text = next ? t("Next: %(name)s", { name: next.label }) : t("Next episode");
    deck.offer("next", text, "i-next", () => deck.acts.step(1));
  } else deck.withdraw("next");
}

/** Takes the moment along: into the link of the share dialog, and into the room that begins here.
 * @param {HTMLVideoElement} media */
function prepareShare(media) {
  const position = /** @type {HTMLInputElement | null} */ (document.querySelector('input[name="pos_ms"]'));
  position?.form?.addEventListener("submit", () => {
    position.value = String(Math.round(media.currentTime * 1000));
  });
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("#share input"));
  document.querySelector('[data-part="share"]')?.addEventListener("click", () => {
    if (field) field.value = location.origin + withTime(media.currentTime);
  });
}

async function start() {
  readWords();
  const root = /** @type {HTMLElement | null} */ (document.querySelector(".player"));
  const page = /** @type {PlayerPage | null} */ (readBlock("player-page"));
  const media = /** @type {HTMLVideoElement | null} */ (root && part(root, "video"));
  if (!root || !page || !media) return;
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  copyButtons();
  const film = new Film(media, { trouble: () => undefined, tracks: () => undefined });
  const hooks = { position: () => media.currentTime, duration: () => media.duration, paused: () => media.paused, film };
  Object.assign(globalThis, { kinodom: { player: hooks, room: null } });
  if (page.room) {
    const room = await enterRoom(/** @type {any} */ (page), media, film, root);
    Object.assign(/** @type {any} */ (globalThis).kinodom, { room });
  } else await watchAlone(page, media, film, root);
}

void start();
