/** Parts that most people pass over: an offer while they play, and chapters on the seek bar. */
import { draw, part } from "../page/dom.js";
import { t } from "../words.js";

const ENDING_RUNS_OUT_S = 20;
const LEAST_LEFT_S = 2;

/** @typedef {{kind: string, start_s: number, end_s: number}} Skip */

/** @param {Skip[]} skips @param {number} position_s @returns {Skip | null} the one that plays, while it is worth passing over */
export function skipAt(skips, position_s) {
  return skips.find((skip) => position_s >= skip.start_s && position_s < skip.end_s - LEAST_LEFT_S) ?? null;
}

/** Whether the film is over but for its ending. @param {Skip[]} skips @param {number} position_s @param {number} duration_s */
export function isLastEnding(skips, position_s, duration_s) {
  const skip = skipAt(skips, position_s);
  return skip?.kind === "ending" && duration_s - skip.end_s < ENDING_RUNS_OUT_S;
}

/** Puts the offer into the deck's slot while such a part plays. @param {import("./deck.js").Deck} deck */
export function offerSkips(deck) {
  const { media, film } = deck;
  let drawn = "";
  media.addEventListener("timeupdate", () => {
    const skips = film.link?.skips ?? [];
    const name = `${film.videoId} ${media.duration}`;
    if (drawn !== name) drawChapters(deck.root, skips, media.duration);
    drawn = name;
    const skip = skipAt(skips, media.currentTime);
    if (!skip || isLastEnding(skips, media.currentTime, media.duration)) deck.withdraw("skip");
    else deck.offer("skip", skip.kind === "ending" ? t("Skip the ending") : t("Skip the opening"), "i-next", () => deck.seek(skip.end_s));
  });
}

/** Chapters are gaps in the rail. @param {HTMLElement} root @param {Skip[]} skips @param {number} duration_s */
function drawChapters(root, skips, duration_s) {
  const borders = [...new Set(skips.flatMap((skip) => [skip.start_s, skip.end_s]))].filter((at_s) => at_s > 0 && at_s < duration_s - 1);
  const gaps = borders.map((at_s) => draw("rect", { class: "seek__gap", x: ((at_s / duration_s) * 1000 - 1.5).toFixed(1), width: "3", height: "10" }));
  part(root, "chapters")?.replaceChildren(...gaps);
}
