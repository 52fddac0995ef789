/**
 * Live downloads. A row is `[data-wish]` with `data-state`; inside, `rect[data-wish-strip]`, `[data-wish-left]` (how far)
 * and `[data-wish-right]` (what is going on). The server's HTML is right when it comes. This keeps the numbers right, at
 * most one repaint a second; when a row changes its state, the server draws the page's main part anew.
 */
import { get } from "./page/http.js";
import { say, set } from "./page/dom.js";
import { refreshSoon } from "./page/refresh.js";
import { orderByHand } from "./page/order.js";
import { Connection } from "./room/connection.js";
import { leftText, number, sizeText, t } from "./words.js";

const REPAINT_MS = 1000;
const ASK_MS = 15_000;
const REMAKES_MS = 10_000;
const ASK_ALONE_MS = 3000; // without the feed
const IDS_AT_ONCE = 50; // of 64 characters each: a request line may have 4094
const ENDED = new Set(["ready", "home"]);

/** @typedef {{wish_id: string, state: string, progress: any}} Change */

export class Downloads {
  /** @param {string} token of the socket; empty: no feed, only questions */
  constructor(token) {
    /** @type {Map<string, Change>} */
    this.changes = new Map();
    this.fed = false;
    this.painted_ms = -Infinity;
    this.asked_ms = performance.now();
    this.remakes_ms = performance.now();
    if (token) {
      this.connection = new Connection({ token, room: null, downloads: true }, {
        download: (event) => this.told(event),
        queue: (status) => this.counted(status),
        link: (up) => { this.fed = up; },
      });
    }
    setInterval(() => void this.askWhenSilent(), ASK_ALONE_MS);
    orderByHand();
  }

  /** A wish was moved, taken off the list or handed back: its numbers do not tell, the list does. @param {any} event */
  told(event) {
    if (event?.type === "queue_status") this.listChanged(event.wish_id);
    else this.heard(event);
    const said = { task_started: t("%(name)s: begun"), task_completed: t("%(name)s: ready"), task_failed: t("%(name)s: stopped") };
    const words = said[/** @type {keyof typeof said} */ (event?.type)];
    if (words) say(document.querySelector("[data-said]"), words.replace("%(name)s", event.title));
  }

  /** @param {any} status how the queue stands */
  counted(status) {
    const counts = ["wanted", "running", "waiting", "paused", "refused", "ready"].map((name) => status?.[name]).join(" ");
    if (this.counts !== undefined && this.counts !== counts) this.listChanged();
    this.counts = counts;
  }

  /** @param {string} [id] of the wish that has changed */
  listChanged(id) {
    const stands = id !== undefined && this.rows().some((row) => row.dataset.wish === id);
    if (stands || document.querySelector("[data-downloads]")) refreshSoon();
  }

  rows() {
    return /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-wish]")]);
  }

  /** @param {any} event a wish, or an event about one */
  heard(event) {
    if (!event?.wish_id) return;
    this.changes.set(event.wish_id, event);
    if (this.painter !== undefined) return;
    const wait_ms = Math.max(0, this.painted_ms + REPAINT_MS - performance.now());
    this.painter = setTimeout(() => {
      this.painter = undefined;
      this.painted_ms = performance.now();
      this.paint();
    }, wait_ms);
  }

  paint() {
    const rows = this.rows();
    const known = new Set(rows.map((row) => row.dataset.wish));
    const stranger = [...this.changes.keys()].some((id) => !known.has(id));
    let moved = stranger && document.querySelector("[data-downloads]") !== null;
    for (const row of rows) {
      const change = this.changes.get(row.dataset.wish ?? "");
      if (!change) continue;
      showProgress(row, change);
      moved ||= (row.dataset.state ?? change.state) !== change.state;
    }
    this.changes.clear();
    showPace(rows);
    if (moved) refreshSoon();
  }

  /** How far a further quality is: nobody sends that, so the page is drawn anew now and then. */
  lookAtRemakes() {
    if (performance.now() - this.remakes_ms < REMAKES_MS || !document.querySelector("[data-remakes=running]")) return;
    this.remakes_ms = performance.now();
    refreshSoon();
  }

  async askWhenSilent() {
    this.lookAtRemakes();
    const open = this.rows().filter((row) => !ENDED.has(row.dataset.state ?? row.dataset.pane ?? ""));
    const now_ms = performance.now();
    if (open.length === 0 || document.hidden || now_ms - this.asked_ms < (this.fed ? ASK_MS : ASK_ALONE_MS)) return;
    this.asked_ms = now_ms;
    const ids = open.slice(0, IDS_AT_ONCE).map((row) => row.dataset.wish).join(",");
    const reply = await get(`/api/v1/wishes?${new URLSearchParams({ ids })}`).catch(() => null); // asked again soon
    for (const wish of reply?.wishes ?? []) this.heard(wish);
  }
}

/** @param {string} stage */
function stageText(stage) {
  /** @type {Record<string, string>} */
  const words = {
    asking: t("asking the source"),
    planning: t("reading the list of parts"),
    fetching: t("fetching"),
    packaging: t("packaging"),
    publishing: t("putting it on the shelf"),
  };
  return words[stage] ?? "";
}

/** How many come at once, and how fast in all. @param {HTMLElement[]} rows */
function showPace(rows) {
  const coming = rows.filter((row) => row.dataset.state === "running" || row.dataset.state === "publishing");
  const bytes_s = coming.reduce((sum, row) => sum + Number(row.dataset.speed ?? 0), 0);
  const told = [t("%(n)s at once", { n: coming.length }), speedText(bytes_s)];
  if (bytes_s > 0) say(document.querySelector("[data-pace]"), told.filter(Boolean).join(", "));
}

/** @param {HTMLElement} row @param {Change} change */
export function showProgress(row, change) {
  const { state } = change;
  if (!["running", "publishing", "ready"].includes(state)) return; // the server has the words for what stands still
  const progress = change.progress ?? {};
  const fraction = Math.min(1, Math.max(0, progress.fraction ?? 0));
  const percent = state === "ready" || fraction === 1 ? 100 : Math.floor(fraction * 100);
  const stage = stageText(progress.stage);
  const rail = row.querySelector("[data-wish-strip]");
  if (rail) set(rail, "width", String(percent));
  const drawing = rail?.closest("svg");
  const spoken = drawing?.getAttribute("aria-label") ?? "";
  // read aloud only when the stage changes: the numbers alone would never let a screen reader rest
  if (drawing && row.dataset.stage !== stage) set(drawing, "aria-label", spoken.replace(/: [^:]*$/, `: ${percent} %, ${stage}`));
  row.dataset.stage = stage;
  const size = progress.fetched_bytes ? sizeText(progress.fetched_bytes) : "";
  const all = progress.total_bytes && size ? t("%(have)s of %(all)s", { have: size, all: sizeText(progress.total_bytes) }) : size;
  row.dataset.speed = String(progress.stage === "fetching" ? (progress.speed_bytes_s ?? 0) : 0);
  const pace = [speedText(Number(row.dataset.speed)), leftOf(progress)].filter(Boolean).join(", ");
  say(row.querySelector("[data-wish-left]"), [`${percent}\u00a0%`, all].filter(Boolean).join(", "));
  say(row.querySelector("[data-wish-right]"), pace || stage);
}

/** @param {number} bytes_s */
function speedText(bytes_s) {
  return bytes_s >= 50_000 ? t("%(n)s MB/s", { n: number(bytes_s / 1e6) }) : "";
}

/** @param {any} progress */
function leftOf(progress) {
  return progress.stage === "fetching" && progress.left_s ? leftText(progress.left_s) : "";
}
