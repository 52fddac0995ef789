/** Small pictures of the film for the seek bar: sheets, and a WebVTT file that says what lies where on them. */
import { draw, set, setAll } from "../page/dom.js";

/** @typedef {{start_s: number, end_s: number, sheet: string, x: number, y: number, w: number, h: number}} Cell */

const CUE = /^(\d+):(\d{2}):(\d{2}\.\d{3}) --> (\d+):(\d{2}):(\d{2}\.\d{3})\n(sprite-\d{1,4}\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/** @param {string} text a `sprites.vtt` @returns {Cell[]} in the order of time */
export function cellsOf(text) {
  return [...text.matchAll(CUE)].map((cue) => {
    const [, h1, m1, s1, h2, m2, s2, sheet, x, y, w, h] = cue;
    const start_s = Number(h1) * 3600 + Number(m1) * 60 + Number(s1);
    const end_s = Number(h2) * 3600 + Number(m2) * 60 + Number(s2);
    return { start_s, end_s, sheet, x: Number(x), y: Number(y), w: Number(w), h: Number(h) };
  });
}

/** @param {Cell[]} cells @param {number} at_s @returns {Cell | null} */
export function cellAt(cells, at_s) {
  return cells.find((cell) => at_s < cell.end_s) ?? cells.at(-1) ?? null;
}

export class Sprites {
  /** @param {SVGElement} picture where a picture is shown @param {() => import("../links.js").Link | null} link of the film that plays */
  constructor(picture, link) {
    this.picture = picture;
    this.link = link;
    this.image = draw("image");
    picture.replaceChildren(this.image);
    this.folder = ""; // of the film whose cells these are
    /** @type {Cell[]} */
    this.cells = [];
  }

  /** Shows the picture of a moment, if there is one. @param {number} at_s */
  show(at_s) {
    const link = this.link();
    const base = link?.sprites ? link.manifest_url.replace(/[^/]+$/, "") : "";
    const folder = base.split("/").at(-2) ?? "";
    if (folder !== this.folder) void this.read(base, folder);
    const cell = base ? cellAt(this.cells, at_s) : null;
    this.picture.toggleAttribute("hidden", !cell);
    if (!cell) return;
    setAll(this.picture, { viewBox: `${cell.x} ${cell.y} ${cell.w} ${cell.h}`, width: String(cell.w), height: String(cell.h) });
    const own = this.image.getAttribute("href") ?? "";
    // a renewed link is no reason to fetch a sheet again
    if (!own.endsWith(`/${folder}/${cell.sheet}`)) set(this.image, "href", base + cell.sheet);
  }

  /** @param {string} base @param {string} folder */
  async read(base, folder) {
    this.folder = folder;
    this.cells = [];
    if (!base) return;
    const reply = await fetch(`${base}sprites.vtt`, { credentials: "same-origin" }).catch(() => null);
    const text = reply?.ok ? await reply.text() : "";
    if (folder === this.folder) this.cells = cellsOf(text);
  }
}
