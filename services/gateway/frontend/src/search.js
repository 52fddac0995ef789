/**
 * A search page that fills itself in. The server draws what the house has, a grey row for each source and, in templates,
 * what a row looks like. Each source's rows come in as it answers: in the order of the weights among those that answer
 * soon, below everything that stands there already when it is late. Nothing that is shown ever moves.
 */
import { say, set } from "./page/dom.js";
import { readLines, Refused } from "./page/http.js";
import { tn } from "./words.js";

const PATIENCE_MS = 800; // rows of a quick source wait so long for a heavier one
const COUNT_GAP_MS = 1000; // the count is read aloud, at most so often

/** @typedef {{source: string, label: string, url: string}} Place */
/** @typedef {{key: string, url: string, external_id: string, name: string, year: number | null, facts: string, licence: string | null, sources: Place[]}} Row */
/** @typedef {{answered: {source: string, mark: string, facts: string, reason: string | null} | null, rows: Row[], done: boolean}} Line */

/**
 * Which of the sources that have answered may be shown now, in what order.
 * @param {string[]} order all that were asked, the heaviest first @param {Set<string>} open have not answered yet
 * @param {Set<string>} held have answered and are not shown yet @param {boolean} late nobody is waited for any longer
 * @returns {string[]}
 */
export function mayBeShown(order, open, held, late) {
  const shown = [];
  for (const source of order) {
    if (held.has(source)) shown.push(source);
    else if (open.has(source) && !late) break;
  }
  return shown;
}

export class Search {
  /** @param {HTMLElement} root with `data-search`, the address of the lines */
  constructor(root) {
    this.root = root;
    this.list = /** @type {HTMLElement} */ (root.querySelector("[data-offers] .list"));
    this.order = this.ghosts().map((ghost) => ghost.dataset.ghost ?? "");
    this.open = new Set(this.order);
    /** @type {Map<string, Line>} */
    this.held = new Map();
    /** @type {Map<string, {element: HTMLElement, rank: number}>} */
    this.rows = new Map();
    this.counted_ms = -Infinity;
    this.late = false;
    this.leaving = false;
    for (const event of ["beforeunload", "pagehide"]) addEventListener(event, () => { this.leaving = true; });
    addEventListener("pageshow", (event) => { if (event.persisted && this.open.size > 0) location.reload(); });
    setTimeout(() => { this.late = true; this.show(); }, PATIENCE_MS);
  }

  async run() {
    let done = false;
    try {
      for await (const line of readLines(this.root.dataset.search ?? "")) {
        this.heard(line);
        done ||= line.done;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    if (done) this.end();
    else if (!this.leaving) location.replace(this.root.dataset.whole ?? "");
  }

  /** @param {Line} line */
  heard(line) {
    if (!line.answered) return;
    const { source } = line.answered;
    this.open.delete(source);
    this.tell(line.answered);
    this.held.set(source, line);
    this.show();
  }

  show() {
    const order = [...this.order, ...[...this.held.keys()].filter((one) => !this.order.includes(one))];
    for (const source of mayBeShown(order, this.open, new Set(this.held.keys()), this.late)) {
      const line = /** @type {Line} */ (this.held.get(source));
      this.held.delete(source);
      for (const row of line.rows) this.add(row, order.indexOf(source));
      this.ghosts().find((ghost) => ghost.dataset.ghost === source)?.remove();
    }
    this.count();
  }

  /** @param {Row} row @param {number} rank of the source: 0 is the heaviest */
  add(row, rank) {
    const known = this.rows.get(row.key);
    const element = known?.element ?? this.made(row);
    const links = element.querySelector("[data-links]");
    for (const place of row.sources) links?.append(link(place));
    if (known && rank >= known.rank) return;
    for (const best of element.querySelectorAll("[data-best]")) set(best, "href", row.url);
    const watch = element.querySelector("input[name=external_id]");
    if (watch) set(watch, "value", row.external_id);
    this.rows.set(row.key, { element, rank });
  }

  /** @param {Row} row */
  made(row) {
    const element = clone("offer");
    set(element, "data-key", row.key);
    const choose = element.querySelector("[data-name]");
    const watch = element.querySelector("[data-watch]");
    say(element.querySelector("[data-art]"), row.name);
    say(element.querySelector("[data-best]"), row.name);
    say(element.querySelector("[data-year]"), row.year ? String(row.year) : "");
    say(element.querySelector("[data-facts]"), row.facts);
    if (choose) set(choose, "aria-label", (choose.getAttribute("data-name") ?? "").replace("{name}", () => row.name));
    if (watch) set(watch, "aria-label", (watch.getAttribute("aria-label") ?? "").replace("{name}", () => row.name));
    const licence = element.querySelector("[data-licence]");
    if (row.licence) say(licence, row.licence);
    else licence?.remove();
    this.list.insertBefore(element, this.ghosts()[0] ?? null); // below all that is shown, above what is only hoped for
    return element;
  }

  ghosts() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("[data-ghost]")]);
  }

  /** @param {NonNullable<Line["answered"]>} answered */
  tell(answered) {
    const line = [...this.root.querySelectorAll("[data-asked]")].find((one) => one.getAttribute("data-asked") === answered.source);
    if (!line) return;
    const mark = line.querySelector("[data-mark]");
    if (mark) set(mark, "class", `mark mark--${answered.mark}`);
    say(line.querySelector("[data-facts]"), answered.facts);
    if (!answered.reason) return;
    const reason = clone("reason");
    say(reason.querySelector("[data-reason]"), answered.reason);
    line.append(reason);
  }

  count() {
    if (this.counter !== undefined) return;
    this.counter = setTimeout(() => {
      this.counter = undefined;
      this.counted_ms = performance.now();
      const n = Number(this.root.dataset.home) + this.rows.size;
      const waits = this.open.size;
      const films = waits ? tn("%(n)s film so far.", "%(n)s films so far.", n) : tn("%(n)s film", "%(n)s films", n);
      const rest = waits ? tn("%(n)s source is still answering.", "%(n)s sources are still answering.", waits) : "";
      say(document.querySelector("[data-count]"), [films, rest].filter(Boolean).join(" "));
    }, Math.max(0, this.counted_ms + COUNT_GAP_MS - performance.now()));
  }

  /** All have answered: what was asked for and never came is taken away. */
  end() {
    const never = new Set(this.open);
    this.open.clear();
    this.late = true;
    this.show();
    for (const ghost of this.ghosts()) ghost.remove();
    for (const line of this.root.querySelectorAll("[data-asked]")) {
      if (never.has(line.getAttribute("data-asked") ?? "")) line.remove();
    }
    if (this.rows.size > 0) return;
    this.root.querySelector("[data-offers]")?.remove();
    this.root.querySelector("[data-nothing]")?.removeAttribute("hidden");
  }
}

/** @param {Place} place */
function link(place) {
  const element = clone("link");
  set(element, "href", place.url);
  say(element, place.label);
  return element;
}

/** @param {string} name @returns {HTMLElement} a fresh copy of what the server has drawn in a template */
function clone(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(`[data-template="${name}"]`));
  return /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
}

/** Tells the server that this browser can read a search line by line; from then on its search pages come at once. */
export function sayLive() {
  if (!/(?:^|; )live=1(?:;|$)/.test(document.cookie)) document.cookie = "live=1; path=/; max-age=31536000; samesite=lax";
}
