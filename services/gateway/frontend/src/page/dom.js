/** The few DOM steps every part needs. Elements are made node by node: the pages enforce Trusted Types. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name @param {Record<string, string | boolean | undefined>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  setAll(element, attributes);
  element.append(...children);
  return element;
}

/** @param {string} name @param {Record<string, string>} [attributes] @param {...Node} children @returns {SVGElement} */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  setAll(element, attributes);
  element.append(...children);
  return element;
}

/** @param {Element} element @param {Record<string, string | boolean | undefined>} attributes */
export function setAll(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(key);
    else set(element, key, value === true ? "" : value);
  }
}

/** Sets an attribute only if it changes, so that nothing is repainted or read aloud for nothing.
 * @param {Element} element @param {string} name @param {string} value */
export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {Element | null} element @param {string} text */
export function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Shows another picture of the sprite in a button. @param {Element | null} holder @param {string} id such as `i-play` */
export function setIcon(holder, id) {
  const use = holder?.querySelector("use");
  if (!use) return;
  const sheet = (use.getAttribute("href") ?? "").split("#")[0];
  set(use, "href", `${sheet}#${id}`);
}

/** @param {string} id @returns {any} the JSON of a `<script type="application/json">` block; null: not there */
export function readBlock(id) {
  const block = document.getElementById(id);
  return block?.textContent ? JSON.parse(block.textContent) : null;
}

/** @param {ParentNode} root @param {string} name value of `data-part` @returns {HTMLElement | null} */
export function part(root, name) {
  return root.querySelector(`[data-part="${name}"]`);
}

/** Wires `[data-copy]` buttons: each copies the field or text it names and says so in its own words. */
export function copyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => void copy(/** @type {HTMLElement} */ (button)));
  }
}

/** @param {HTMLElement} button */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? "");
  if (!source) return;
  const text = source instanceof HTMLInputElement ? source.value : (source.textContent ?? "");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page without TLS has no clipboard: select the text, and use the old command
    if (source instanceof HTMLInputElement) source.select();
    else getSelection()?.selectAllChildren(source);
    document.execCommand("copy");
  }
  const label = button.querySelector("[data-label]") ?? button;
  say(label, button.dataset.copied ?? label.textContent ?? "");
}
