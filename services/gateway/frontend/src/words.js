/**
 * Words of the page. The server puts the dictionary of the person's language into `<script id="words">`; a missing entry
 * falls back to the English key. Plural entries stand under their singular key as a list of forms.
 */

/** @type {Record<string, string | string[]>} */
let words = {};
let locale = "en";

/** @param {Record<string, string | string[]>} dictionary @param {string} language */
export function speak(dictionary, language) {
  words = dictionary;
  locale = language || "en";
}

/** Reads the dictionary and the language from the page. */
export function readWords() {
  const block = document.getElementById("words");
  speak(block?.textContent ? JSON.parse(block.textContent) : {}, document.documentElement.lang);
}

/** @param {string} text @param {Record<string, string | number>} values */
function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Translates. @param {string} key with %(name)s for values @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const found = words[key];
  return fill(typeof found === "string" && found ? found : key, values);
}

/**
 * Translates with the form that suits the number; `%(n)s` is the number.
 * @param {string} one @param {string} many @param {number} n
 */
export function tn(one, many, n) {
  const forms = words[one];
  const values = { n: number(n) };
  if (!Array.isArray(forms)) return fill(n === 1 ? one : many, values);
  const at = ["one", "few", "many"].indexOf(new Intl.PluralRules(locale).select(n));
  return fill(forms[at < 0 ? Math.min(1, forms.length - 1) : Math.min(at, forms.length - 1)], values);
}

/** @param {number} value @param {number} [digits] after the point, at most */
export function number(value, digits = 1) {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

/** A time as a clock reads it: 8:05, 1:02:03. @param {number} seconds */
export function clockText(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** A size in the unit people use: 1.5 GB. @param {number} bytes */
export function sizeText(bytes) {
  if (bytes >= 1e9) return t("%(n)s GB", { n: number(bytes / 1e9) });
  return bytes >= 1e6 ? t("%(n)s MB", { n: number(bytes / 1e6, 0) }) : t("%(n)s kB", { n: number(bytes / 1e3, 0) });
}

/** Time left in words. @param {number} seconds */
export function leftText(seconds) {
  if (seconds < 60) return tn("%(n)s second left", "%(n)s seconds left", Math.max(1, Math.ceil(seconds)));
  return tn("%(n)s minute left", "%(n)s minutes left", Math.ceil(seconds / 60));
}
