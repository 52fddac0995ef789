/** The list of people, each with a word and a mark for how far from the room they are. */
import { draw, make, say, set } from "../page/dom.js";
import { number, t, tn } from "../words.js";

const IN_STEP_MS = 40;
const SCALE_MS = 1500; // this far reaches the end of the scale
const HALF = 40;

/** @typedef {{member_id: string, name: string, drift_ms: number | null}} Member */

/**
 * @param {Member[]} members @param {string} own_id @param {number | null} own_ms freshest error of this screen
 */
export function showMembers(members, own_id, own_ms) {
  const list = document.querySelector('[data-part="members"]');
  if (!list || members.length === 0) return;
  const known = new Map([...list.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.member, row]));
  const rows = members.map((member) => {
    const own = member.member_id === own_id;
    const before = known.get(member.member_id);
    const row = before && before.hasAttribute("data-own") === own ? before : newRow(member, own);
    showDrift(row, own ? (own_ms ?? member.drift_ms) : member.drift_ms);
    return row;
  });
  if (rows.length !== list.children.length || rows.some((row, at) => list.children[at] !== row)) list.replaceChildren(...rows);
  say(document.querySelector('[data-part="members-count"]'), tn("%(n)s person here", "%(n)s people here", members.length));
}

/** @param {Member} member @param {boolean} own @returns {Element} */
function newRow(member, own) {
  const name = own ? t("%(name)s, you", { name: member.name }) : member.name;
  const drift = make("div", { class: "drift" }, make("span"));
  drift.append(
    draw(
      "svg",
      { viewBox: "-48 -6 96 12", "aria-hidden": "true" },
      draw("path", { class: "drift__axis", d: "M-48-.5h96v1h-96zM-.5-6h1v12h-1z" }),
      draw("rect", { class: "drift__dot", x: "-4", y: "-5", width: "8", height: "10" }),
    ),
  );
  const face = make("span", { class: "face", "aria-hidden": "true" }, [...member.name.trim()][0]?.toLocaleUpperCase() ?? "?");
  const words = make("div", {}, make("p", {}, make("b", {}, name)));
  if (own) words.append(make("p", { class: "small muted" }, t("this screen")));
  return make("li", { class: "member", "data-member": member.member_id, "data-own": own }, face, words, drift);
}

/** @param {Element} row @param {number | null} drift_ms positive is behind */
function showDrift(row, drift_ms) {
  const drift = /** @type {Element} */ (row.querySelector(".drift"));
  const late = drift_ms !== null && Math.abs(drift_ms) > IN_STEP_MS;
  set(drift, "class", late ? "drift drift--late" : "drift");
  say(drift.querySelector("span"), driftText(drift_ms));
  const dot = drift.querySelector("rect");
  const share = drift_ms === null ? 0 : Math.max(-1, Math.min(1, -drift_ms / SCALE_MS));
  if (dot) set(dot, "x", (share * HALF - 4).toFixed(1));
  dot?.toggleAttribute("hidden", drift_ms === null);
}

/** @param {number | null} drift_ms */
export function driftText(drift_ms) {
  if (drift_ms === null) return t("just came");
  if (Math.abs(drift_ms) <= IN_STEP_MS) return t("in step");
  const n = number(Math.max(0.1, Math.abs(drift_ms) / 1000));
  return drift_ms > 0 ? t("%(n)s s behind", { n }) : t("%(n)s s ahead", { n });
}
