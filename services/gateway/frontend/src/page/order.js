/**
 * The order of a list `ol[data-order]` of rows `li[data-wish]`: dragged, or moved by Alt with an arrow, and with Shift
 * all the way. Its buttons work without this. A row goes to its place at once; the house is told, and draws the list anew.
 */
import { post } from "./http.js";
import { say } from "./dom.js";
import { refreshSoon } from "./refresh.js";
import { t } from "../words.js";

const MARKS = ["wish--before", "wish--behind"];
/** @type {HTMLElement | null} the row that is dragged */
let held = null;

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
function rowOf(target) {
  return target instanceof Element ? target.closest("[data-order] > [data-wish]") : null;
}

/** @param {Element} row @returns {HTMLElement[]} the rows of its list */
function rowsBeside(row) {
  return /** @type {HTMLElement[]} */ ([...(row.parentElement?.children ?? [])]);
}

/** Puts a row before another, or behind all, and tells the house. @param {HTMLElement} row @param {HTMLElement | null} before */
async function put(row, before) {
  const focused = document.activeElement;
  row.parentElement?.insertBefore(row, before);
  if (focused instanceof HTMLElement && row.contains(focused)) focused.focus({ preventScroll: true });
  const rows = rowsBeside(row);
  say(document.querySelector("[data-said]"), t("%(name)s is now number %(n)s of %(all)s", {
    name: row.dataset.name ?? "", n: rows.indexOf(row) + 1, all: rows.length,
  }));
  await post(`/api/v1/wishes/${row.dataset.wish}/move`, { before: before?.dataset.wish ?? null }).catch(() => null);
  refreshSoon(); // right or wrong: the house knows
}

/** @param {KeyboardEvent} event */
function byKey(event) {
  if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowUp", "ArrowDown"].includes(event.code)) return;
  const row = rowOf(event.target);
  if (!row) return;
  event.preventDefault();
  const rows = rowsBeside(row);
  const at = rows.indexOf(row);
  const far = event.shiftKey; // to the very front, or behind all
  if (event.code === "ArrowUp" && at > 0) void put(row, rows[far ? 0 : at - 1]);
  if (event.code === "ArrowDown" && at < rows.length - 1) void put(row, far ? null : (rows[at + 2] ?? null));
}

function unmark() {
  for (const row of document.querySelectorAll("[data-order] > [data-wish]")) row.classList.remove(...MARKS);
}

/** @param {DragEvent} event @param {HTMLElement} row @returns {boolean} whether the pointer is over the row's upper half */
function isAbove(event, row) {
  const box = row.getBoundingClientRect();
  return event.clientY < box.top + box.height / 2;
}

/** Listens on the document, because the list is drawn anew. */
export function orderByHand() {
  document.addEventListener("keydown", byKey);
  document.addEventListener("dragstart", (event) => {
    held = rowOf(event.target);
    if (!held) return;
    held.classList.add("wish--held");
    event.dataTransfer?.setData("text/plain", held.dataset.name ?? "");
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const row = rowOf(event.target);
    if (!held || !row || row.parentElement !== held.parentElement) return;
    event.preventDefault();
    unmark();
    if (row !== held) row.classList.add(isAbove(event, row) ? MARKS[0] : MARKS[1]);
  });
  document.addEventListener("drop", (event) => {
    const row = rowOf(event.target);
    if (!held || !row || row === held || row.parentElement !== held.parentElement) return;
    event.preventDefault();
    const rows = rowsBeside(row);
    void put(held, isAbove(event, row) ? row : (rows[rows.indexOf(row) + 1] ?? null));
  });
  document.addEventListener("dragend", () => {
    held?.classList.remove("wish--held");
    held = null;
    unmark();
  });
  showHint();
  document.addEventListener("kinodom:refreshed", showHint);
}

/** Without a script there is nothing to drag, so the words about it come with the script. */
function showHint() {
  document.querySelector("[data-order-hint]")?.removeAttribute("hidden");
}
