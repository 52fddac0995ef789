/** Panels of the player: columns of choices behind one button. */
import { make } from "../page/dom.js";

/**
 * @typedef {object} Choice
 * @property {string} text
 * @property {string} [note]
 * @property {string} [label] of the sound that it means, as the manifest calls it
 * @property {boolean} checked
 * @property {string} [lang]
 * @property {string} [href] a place to go to instead of an action
 * @property {() => void} [pick]
 * @typedef {{name: string, choices: Choice[]}} Column
 */

export class Menu {
  /**
   * @param {HTMLElement} button @param {HTMLElement} panel @param {() => Column[]} columns
   * @param {(open: boolean) => void} onChange
   */
  constructor(button, panel, columns, onChange) {
    this.button = button;
    this.panel = panel;
    this.columns = columns;
    this.onChange = onChange;
    button.addEventListener("click", () => this.toggle());
    panel.addEventListener("keydown", (event) => this.move(event));
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  toggle() {
    if (this.isOpen) this.close(true);
    else this.open();
  }

  open() {
    this.fill();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.onChange(true);
    const items = this.items();
    (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
  }

  /** @param {boolean} [refocus] */
  close(refocus = false) {
    if (!this.isOpen) return;
    const inside = this.panel.contains(document.activeElement);
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (refocus || inside) this.button.focus();
    this.onChange(false);
  }

  /** Draws the choices anew while open; the focus stays on the same place. */
  refresh() {
    if (!this.isOpen) return;
    const at = this.items().indexOf(/** @type {HTMLElement} */ (document.activeElement));
    this.fill();
    if (at >= 0) this.items()[Math.min(at, this.items().length - 1)]?.focus();
  }

  fill() {
    const columns = this.columns().filter((column) => column.choices.length > 0);
    this.panel.replaceChildren(...columns.map((column, at) => this.column(column, `${this.panel.id}-${at}`)));
  }

  /** @param {Column} column @param {string} id */
  column(column, id) {
    const name = make("p", { class: "settings__name", id }, column.name);
    return make("div", { role: "menu", "aria-labelledby": id }, name, ...column.choices.map((choice) => this.item(choice)));
  }

  /** @param {Choice} choice */
  item(choice) {
    const facts = { class: "menu__item", role: "menuitemradio", "aria-checked": String(choice.checked), lang: choice.lang };
    const item = choice.href ? make("a", { ...facts, href: choice.href }) : make("button", { ...facts, type: "button" });
    item.append(choice.text);
    if (choice.note) item.append(" ", make("small", {}, choice.note));
    item.addEventListener("click", () => {
      choice.pick?.();
      if (!choice.href) this.refresh();
    });
    return item;
  }

  items() {
    return /** @type {HTMLElement[]} */ ([...this.panel.querySelectorAll('[role="menuitemradio"]')]);
  }

  /** @param {KeyboardEvent} event */
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.code];
    const items = this.items();
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (step) items[(at + step + items.length) % items.length]?.focus();
    else if (event.code === "Home") items[0]?.focus();
    else if (event.code === "End") items.at(-1)?.focus();
    else if (event.code === "ArrowRight" || event.code === "ArrowLeft") this.across(event.code === "ArrowRight" ? 1 : -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} step */
  across(step) {
    const columns = [...this.panel.querySelectorAll('[role="menu"]')];
    const at = columns.findIndex((column) => column.contains(document.activeElement));
    const next = columns[(at + step + columns.length) % columns.length];
    const wanted = next?.querySelector('[aria-checked="true"]') ?? next?.querySelector('[role="menuitemradio"]');
    if (wanted instanceof HTMLElement) wanted.focus();
  }
}
