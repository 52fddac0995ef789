/**
 * Live rows of downloads: `[data-wish]` elements with parts `rail`, `percent`, `size`, `stage`, `left`. The server's HTML
 * is right when it comes; this keeps it right, repaints at most once a second, and asks the house when the feed is silent.
 */
import { get } from "./page/http.js";
import { part, say, set } from "./page/dom.js";
import { Connection } from "./room/connection.js";
import { leftText, number, sizeText, t } from "./words.js";

const REPAINT_MS = 1000;
const ASK_MS = 15_000;
const ASK_ALONE_MS = 3000; // without the feed
const IDS_AT_ONCE = 50;
const ENDED = ["ready", "refused", "waiting"];

/** @typedef {{wish_id: string, state: string, reason: string | null, progress: any}} Change */

export class Downloads {
  /** @param {string} token of the socket; empty: no feed, only questions */
  constructor(token) {
    /** @type {Map<string, Change>} */
    this.changes = new Map();
    this.fed = false;
    this.painted_ms = -Infinity;
    this.asked_ms = performance.now();
    if (token) {
      this.connection = new Connection({ token, room: null, downloads: true }, {
        download: (event) => this.heard(event),
        link: (up) => { this.fed = up; },
      });
    }
    setInterval(() => this.askWhenSilent(), ASK_ALONE_MS);
  }

  rows() {
    return /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-wish]")]);
  }

  /** @param {any} event */
  heard(event) {
    if (!event?.wish_id) return;
    this.changes.set(event.wish_id, event);
    this.paintSoon();
  }

  paintSoon() {
    if (this.painter !== undefined) return;
    const wait_ms = Math.max(0, this.painted_ms + REPAINT_MS - performance.now());
    this.painter = setTimeout(() => {
      this.painter = undefined;
      this.painted_ms = performance.now();
      requestAnimationFrame(() => this.paint());
    }, wait_ms);
  }

  paint() {
    for (const row of this.rows()) {
      const change = this.changes.get(row.dataset.wish ?? "");
      if (change) showChange(row, change);
    }
    this.changes.clear();
  }

  async askWhenSilent() {
    const ids = this.rows().filter((row) => !ENDED.includes(row.dataset.state ?? "")).map((row) => row.dataset.wish ?? "");
    const now_ms = performance.now();
    if (ids.length === 0 || document.hidden || now_ms - this.asked_ms < (this.fed ? ASK_MS : ASK_ALONE_MS)) return;
    this.asked_ms = now_ms;
    const query = new URLSearchParams({ ids: ids.slice(0, IDS_AT_ONCE).join(",") });
    const reply = await get(`/api/v1/wishes?${query}`).catch(() => null); // the next question is soon
    for (const wish of reply?.wishes ?? []) this.heard(wish);
  }
}

/** @param {string} stage */
function stageText(stage) {
  const words = {
    asking: t("asking the source"),
    planning: t("reading the list"),
    fetching: t("coming"),
    packaging: t("packing"),
    publishing: t("putting on the shelf"),
  };
  return words[/** @type {keyof typeof words} */ (stage)] ?? "";
}

/** @param {string} state @param {any} progress */
function stateText(state, progress) {
  if (state === "ready") return t("on disk");
  if (state === "wanted") return t("in the queue");
  if (state === "waiting") return t("waits");
  if (state === "refused") return t("did not work");
  return stageText(progress.stage);
}

/** @param {HTMLElement} row @param {Change} change */
export function showChange(row, change) {
  const { progress, state } = change;
  const percent = state === "ready" ? 100 : Math.floor(Math.min(1, Math.max(0, progress?.fraction ?? 0)) * 100);
  const stage = stateText(state, progress ?? {});
  const before = row.dataset.state;
  row.dataset.state = state;
  const rail = part(row, "rail");
  if (rail) {
    set(rail, "class", state === "refused" || state === "waiting" ? "strip strip--stuck" : "strip strip--home");
    const fill = rail.querySelector("rect");
    if (fill) set(fill, "width", String(percent));
    if (row.dataset.stage !== stage) set(rail, "aria-label", `${row.dataset.name ?? ""}: ${stage}, ${percent} %`);
  }
  row.dataset.stage = stage;
  say(part(row, "percent"), `${percent} %`);
  say(part(row, "stage"), stage);
  say(part(row, "size"), sizeOf(state, progress));
  say(part(row, "left"), leftOf(state, progress));
  const reason = part(row, "reason");
  if (reason) {
    say(reason, change.reason ?? "");
    reason.hidden = !change.reason;
  }
  if (before !== state) showActions(row, state);
}

/** Shows the actions that suit the state: `data-when="running wanted"`. @param {HTMLElement} row @param {string} state */
function showActions(row, state) {
  for (const element of row.querySelectorAll("[data-when]")) {
    const when = (/** @type {HTMLElement} */ (element).dataset.when ?? "").split(" ");
    /** @type {HTMLElement} */ (element).hidden = !when.includes(state);
  }
}

/** @param {string} state @param {any} progress */
function sizeOf(state, progress) {
  if (!progress?.fetched_bytes || state === "wanted") return "";
  if (!progress.total_bytes || state === "ready") return sizeText(progress.fetched_bytes);
  return t("%(have)s of %(all)s", { have: sizeText(progress.fetched_bytes), all: sizeText(progress.total_bytes) });
}

/** @param {string} state @param {any} progress */
function leftOf(state, progress) {
  if (state !== "running" || progress?.stage !== "fetching") return "";
  const speed = progress.speed_bytes_s ? t("%(n)s MB/s", { n: number(progress.speed_bytes_s / 1e6) }) : "";
  const left = progress.left_s ? leftText(progress.left_s) : "";
  return [speed, left].filter(Boolean).join(", ");
}
