/**
 * Parts of a film that no source had: marked on the seek bar, told in words, and passed over. Alone the player jumps over
 * one as soon as it comes there. In a room it passes in its own time, with a standing picture, so that all stay in step.
 */
import { draw, part, say } from "../page/dom.js";
import { clockText, t } from "../words.js";

const WIDTH = 1000;
const LEAST_WIDTH = 4; // of a mark, so that it is seen in a long film
const NAMED = 5;
const NEAR_S = 0.05;

/** @typedef {{from_s: number, to_s: number, lacks: string}} Hole `lacks`: all, picture, sound */

/** @param {Hole[]} holes @param {number} at_s @returns {Hole | null} the one in which this moment lies */
export function holeAt(holes, at_s) {
  return holes.find((hole) => at_s >= hole.from_s - NEAR_S && at_s < hole.to_s - NEAR_S) ?? null;
}

/** @param {Hole[]} holes @param {number} at_s @returns {number} this moment, or the end of the hole in which it lies */
export function overHoles(holes, at_s) {
  const hole = holeAt(holes, at_s);
  return hole?.lacks === "all" ? hole.to_s : at_s;
}

/** Whether there is anything behind a hole to go on with. @param {Hole} hole @param {number} duration_s */
function leadsOn(hole, duration_s) {
  return hole.lacks === "all" && !(hole.to_s > duration_s - 0.5);
}

/**
 * Marks the holes of whatever plays, and passes over them.
 * @param {import("./deck.js").Deck} deck @param {boolean} jumps false: others watch along
 */
export function passHoles(deck, jumps) {
  const { media, film } = deck;
  let drawn = "";
  /** @type {Hole | null} */
  let told = null;
  const look = () => {
    const holes = film.holes();
    const name = `${film.videoId} ${media.duration} ${JSON.stringify(holes)}`;
    if (drawn !== name) show(deck, holes);
    drawn = name;
    const hole = holeAt(holes, media.currentTime);
    if (hole && hole !== told && !media.paused) deck.note(words(hole));
    told = hole;
    if (jumps && hole && !media.seeking && leadsOn(hole, media.duration)) media.currentTime = hole.to_s;
  };
  for (const event of ["timeupdate", "waiting", "loadedmetadata", "durationchange"]) media.addEventListener(event, look);
}

/** @param {import("./deck.js").Deck} deck @param {Hole[]} holes */
function show(deck, holes) {
  const { duration } = deck.media;
  const text = part(deck.root, "holes-told");
  if (text) {
    text.hidden = holes.length === 0;
    say(text, sentence(holes));
  }
  deck.bar.holes = holes;
  if (!(duration > 0)) return;
  const marks = holes.map((hole) => {
    const width = Math.max(LEAST_WIDTH, ((hole.to_s - hole.from_s) / duration) * WIDTH);
    return draw("rect", { class: "seek__hole", x: ((hole.from_s / duration) * WIDTH).toFixed(1), width: width.toFixed(1), height: "10" });
  });
  part(deck.root, "holes")?.replaceChildren(...marks);
}

/** @param {Hole} hole */
function stretch(hole) {
  const time = `${clockText(hole.from_s)}–${clockText(hole.to_s)}`;
  if (hole.lacks === "picture") return t("%(time)s (only the picture)", { time });
  return hole.lacks === "sound" ? t("%(time)s (only the sound)", { time }) : time;
}

/** @param {Hole[]} holes */
function sentence(holes) {
  if (holes.length === 0) return "";
  const named = holes.slice(0, NAMED).map(stretch);
  const where = [...named, ...(holes.length > NAMED ? ["…"] : [])].join(", ");
  return t("Missing: %(where)s.", { where });
}

/** What the seek bar says of a moment in a hole. @param {Hole} hole */
export function words(hole) {
  if (hole.lacks === "picture") return t("the picture is missing here");
  return hole.lacks === "sound" ? t("the sound is missing here") : t("a part is missing here");
}
