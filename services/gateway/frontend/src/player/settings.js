/** What the panels of the player offer. */
import { number, t } from "../words.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/**
 * @param {number} now @param {(rate: number) => void} pick
 * @returns {import("./menu.js").Column}
 */
export function speedColumn(now, pick) {
  const choices = SPEEDS.map((rate) => ({ text: `${number(rate, 2)}×`, checked: now === rate, pick: () => pick(rate) }));
  return { name: t("Speed"), choices };
}

/**
 * @param {import("./film.js").Film} film @param {import("./menu.js").Choice[]} dubs
 * @returns {import("./menu.js").Column[]}
 */
export function settingsColumns(film, dubs) {
  return [
    { name: t("Dub"), choices: dubsOf(film, dubs) },
    { name: t("Subtitles"), choices: subtitles(film) },
    { name: t("Quality"), choices: qualities(film) },
  ];
}

/**
 * Dubs whose sound this film has too are taken without leaving it; the others stay links.
 * @param {import("./film.js").Film} film @param {import("./menu.js").Choice[]} dubs @returns {import("./menu.js").Choice[]}
 */
export function dubsOf(film, dubs) {
  const sounds = film.sounds();
  if (sounds.length < 2) return dubs;
  const own = sounds.find((sound) => !dubs.some((dub) => !dub.checked && dub.label === sound.label));
  return dubs.map((dub) => {
    const sound = dub.checked ? own : sounds.find((one) => one.label === dub.label);
    if (!sound) return { ...dub, checked: false };
    return { ...dub, href: undefined, checked: sound.active, pick: () => film.setSound(sound.id) };
  });
}

/** @param {import("./film.js").Film} film */
function subtitles(film) {
  const tracks = film.subtitles();
  const off = { text: t("Off"), checked: !tracks.some((track) => track.active), pick: () => film.setSubtitles(null) };
  const choices = tracks.map((track) => ({
    text: track.label || languageName(track.language),
    lang: track.language,
    checked: track.active,
    pick: () => film.setSubtitles(track.id),
  }));
  return [off, ...choices];
}

/** @param {import("./film.js").Film} film */
function qualities(film) {
  const heights = film.qualities();
  const now = heights.find((quality) => quality.active);
  const note = now ? t("now %(height)sp", { height: now.height_px }) : "";
  const automatic = { text: t("Automatic"), note, checked: film.automatic, pick: () => film.setQuality(null) };
  const choices = heights.map(({ height_px, active }) => ({
    text: `${height_px}p`,
    checked: !film.automatic && active,
    pick: () => film.setQuality(height_px),
  }));
  return [automatic, ...choices];
}

/** @param {string} code BCP 47 */
function languageName(code) {
  if (!code || code === "und") return t("Subtitles");
  const name = new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase() + name.slice(1);
}
