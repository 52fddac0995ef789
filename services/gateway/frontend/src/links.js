/**
 * Signed links: `/v/<signature>/<expiry>/<folder>/<file>`. Files of a running video are asked for under the newest link.
 */

const SIGNED = /^((?:https?:\/\/[^/]+)?)\/v\/[^/]+\/\d+\/(.+)$/;

/**
 * @typedef {object} Link
 * @property {string} manifest_url
 * @property {number} expires_at UTC, seconds since 1970
 */

/**
 * Returns the address under the newest link; an address that is not signed, or of another folder, comes back as it is.
 * @param {string} url absolute or path @param {Link} link
 */
export function freshen(url, link) {
  const asked = SIGNED.exec(url);
  const newest = SIGNED.exec(link.manifest_url);
  if (!asked || !newest) return url;
  const folder = newest[2].slice(0, newest[2].lastIndexOf("/") + 1);
  if (!asked[2].startsWith(folder)) return url;
  const prefix = link.manifest_url.slice(0, link.manifest_url.lastIndexOf("/") + 1);
  const file = asked[2].slice(folder.length);
  return newest[1] ? prefix + file : asked[1] + prefix + file;
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
