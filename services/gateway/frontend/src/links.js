/**
 * Signed links: `/v/<signature>/<expiry>/<folder>/<file>`, and `/w/…` for a film that is still coming. Files of a running
 * video are asked for under the newest link.
 */

const SIGNED = /^((?:https?:\/\/[^/]+)?)\/([vw])\/([^/]+\/\d+)\/(.+)$/;
const FOLDER = /^[^/]+\/[^/]+\//; // `ab/abcd…/`

/**
 * @typedef {object} Link
 * @property {string} manifest_url
 * @property {string | null} [live_url] the folder of a film that is still coming; null: it is on the disk
 * @property {number} expires_at UTC, seconds since 1970
 * @property {boolean} [sprites] small pictures for the seek bar lie beside the manifest
 * @property {import("./player/skips.js").Skip[]} [skips]
 * @property {import("./player/holes.js").Hole[]} [holes]
 */

/**
 * Returns the address under the newest link; an address that is not signed, or of another folder, comes back as it is.
 * @param {string} url absolute or path @param {Link} link
 */
export function freshen(url, link) {
  const asked = SIGNED.exec(url);
  const newest = SIGNED.exec(link.manifest_url);
  if (!asked || !newest || FOLDER.exec(asked[4])?.[0] !== FOLDER.exec(newest[4])?.[0]) return url;
  return `${newest[1] || asked[1]}/${asked[2]}/${newest[3]}/${asked[4]}`;
}

/**
 * @param {{manifest_url: string, live_url: string | null, link_expires_at: number, sprites?: boolean,
 *   skips?: import("./player/skips.js").Skip[], holes?: import("./player/holes.js").Hole[]}} video as a page tells it
 * @returns {Link}
 */
export function linkOf(video) {
  const { manifest_url, live_url, link_expires_at: expires_at, sprites, skips, holes } = video;
  return { manifest_url, live_url, expires_at, sprites, skips, holes };
}

/**
 * When to ask for the next link, ms from now: at half of what is left, ten minutes before the end at the latest. Never
 * less than a minute, because this machine's wall clock may be wrong; a refusal renews the link in any case.
 * @param {number} expires_at seconds @param {number} now_s
 */
export function renewAfter(expires_at, now_s) {
  const left_s = expires_at - now_s;
  return Math.min(Math.max(60, Math.max(left_s / 2, left_s - 600)) * 1000, 2 ** 31 - 1);
}
