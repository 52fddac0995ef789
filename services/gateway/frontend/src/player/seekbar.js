/** The seek bar: a real range input over two rails that are drawn by attributes. */
import { part, say, set } from "../page/dom.js";
import { clockText, t } from "../words.js";
import { holeAt, words } from "./holes.js";

const WIDTH = 1000;

export class SeekBar {
  /**
   * @param {HTMLElement} root the `.seek` element @param {(seconds: number) => void} onSeek
   */
  constructor(root, onSeek) {
    this.input = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    this.root = root;
    this.you = part(root, "you");
    this.house = /** @type {SVGElement | null} */ (root.querySelector("[data-part=house]"));
    /** @type {[number, number][] | null} */
    this.have = null;
    /** @type {import("./holes.js").Hole[]} */
    this.holes = [];
    this.head = part(root, "head");
    this.peek = part(root, "peek");
    /** @type {import("./sprites.js").Sprites | null} */
    this.sprites = null;
    this.duration_s = 0;
    this.held = false; // a finger or the pointer holds the handle
    this.input.addEventListener("pointerdown", () => {
      this.held = true;
    });
    this.input.addEventListener("input", () => this.draw(Number(this.input.value)));
    this.input.addEventListener("change", () => {
      this.held = false;
      onSeek(Number(this.input.value));
    });
    for (const name of ["pointerup", "pointercancel"]) this.input.addEventListener(name, () => { this.held = false; });
    root.addEventListener("pointermove", (event) => this.point(event));
    root.addEventListener("pointerleave", () => this.hidePeek());
  }

  /** @param {number} position_s @param {number} duration_s */
  show(position_s, duration_s) {
    if (Number.isFinite(duration_s) && duration_s > 0 && duration_s !== this.duration_s) {
      this.duration_s = duration_s;
      set(this.input, "max", String(duration_s));
      this.showHave(this.have);
    }
    if (this.held) return;
    this.input.value = String(position_s);
    this.draw(position_s);
  }

  /** Draws what the house has. @param {[number, number][] | null} have stretches, seconds; null: all of it */
  showHave(have) {
    this.have = have;
    if (!this.house || !this.duration_s) return;
    const rails = (have ?? [[0, this.duration_s]]).map(([from_s, to_s]) => {
      const rail = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const x = (from_s / this.duration_s) * WIDTH;
      for (const [name, value] of Object.entries({ class: "seek__home", height: "10", x, width: (to_s / this.duration_s) * WIDTH - x })) {
        rail.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
      }
      return rail;
    });
    this.house.replaceChildren(...rails);
  }

  /** @param {number} position_s @returns {boolean} whether the house has this second */
  isThere(position_s) {
    return this.have === null || this.have.some(([from_s, to_s]) => position_s >= from_s - 0.5 && position_s < to_s);
  }

  /** @param {number} position_s */
  draw(position_s) {
    const share = this.duration_s ? Math.min(1, Math.max(0, position_s / this.duration_s)) : 0;
    if (this.you) set(this.you, "width", (share * WIDTH).toFixed(1));
    if (this.head) set(this.head, "x", (share * (WIDTH - 5)).toFixed(1));
    const text = t("%(at)s of %(all)s", { at: this.named(position_s), all: clockText(this.duration_s) });
    set(this.input, "aria-valuetext", text);
  }

  /** @param {number} at_s */
  named(at_s) {
    const hole = holeAt(this.holes, at_s);
    return hole ? `${clockText(at_s)}, ${words(hole)}` : clockText(at_s);
  }

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.peek || !this.duration_s || event.pointerType === "touch") return;
    const box = this.root.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    say(part(this.peek, "peek-time"), this.named(share * this.duration_s));
    this.sprites?.show(share * this.duration_s);
    this.peek.hidden = false;
    const half = this.peek.offsetWidth / 2;
    this.peek.style.insetInlineStart = `${Math.min(box.width - half, Math.max(half, share * box.width)) - half}px`;
  }

  hidePeek() {
    if (this.peek) this.peek.hidden = true;
  }
}
