/**
 * Keys of the player, by place on the keyboard (`KeyboardEvent.code`): the same finger in every layout.
 * Pure: an event in, the name of an action and its number out.
 */

/** @type {Record<string, [string, number?]>} */
const PLAIN = {
  Space: ["toggle"],
  KeyK: ["toggle"],
  KeyJ: ["by", -10],
  KeyL: ["by", 10],
  ArrowLeft: ["by", -5],
  ArrowRight: ["by", 5],
  ArrowUp: ["louder", 0.05],
  ArrowDown: ["louder", -0.05],
  KeyM: ["mute"],
  Comma: ["frame", -1],
  Period: ["frame", 1],
  KeyS: ["offer"],
  KeyN: ["next"],
  KeyP: ["previous"],
  KeyC: ["subtitles"],
  KeyD: ["settings"],
  KeyF: ["full"],
  KeyI: ["pip"],
  Slash: ["find"],
  Escape: ["close"],
};

/** @type {Record<string, [string, number?]>} */
const SHIFTED = {
  ArrowLeft: ["by", -80],
  ArrowRight: ["by", 80],
  Comma: ["faster", -1],
  Period: ["faster", 1],
  Slash: ["help"],
};

/**
 * @param {{code: string, shiftKey: boolean, ctrlKey: boolean, altKey: boolean, metaKey: boolean, repeat?: boolean}} event
 * @returns {{act: string, by: number} | null}
 */
export function actionOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit && !event.shiftKey) return { act: "tenth", by: Number(digit[1]) };
  const found = (event.shiftKey ? SHIFTED : PLAIN)[event.code];
  if (!found) return null;
  if (event.repeat && !["by", "louder", "frame"].includes(found[0])) return null;
  return { act: found[0], by: found[1] ?? 0 };
}

/**
 * Whether a key belongs to what has the focus: text is being typed, or Space and Enter press a button.
 * @param {Element | null} focused @param {string} code
 */
export function isTaken(focused, code) {
  if (!focused) return false;
  if (focused.matches("textarea, select, [contenteditable], dialog[open] *")) return code !== "Escape";
  if (focused.matches('.seek input[type="range"]')) return false;
  if (focused.matches('input[type="range"]')) return code.startsWith("Arrow");
  if (focused.matches("input")) return true;
  if (focused.matches('[role="menuitemradio"]')) return ["Space", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(code);
  return code === "Space" && focused.matches("button, a[href], summary");
}
