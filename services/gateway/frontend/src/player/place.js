/** Where a person stopped: kept on this device, and told to the house where the page names an address for it. */
import { post } from "../page/http.js";

const EVERY_MS = 10_000;
const FIRST_S = 10;
const LAST_S = 30;

/** @param {string} videoId */
const key = (videoId) => `kinodom.place.${videoId}`;

/** @param {string} videoId @returns {number} seconds; 0: from the start */
export function rememberedPlace(videoId) {
  try {
    return Number(localStorage.getItem(key(videoId))) || 0;
  } catch {
    return 0; // storage is switched off
  }
}

/** @param {HTMLVideoElement} media @param {string} videoId @param {string} url empty: this device only */
export function keepPlace(media, videoId, url) {
  let last_s = -1;
  const keep = () => {
    const at_s = media.currentTime;
    if (media.readyState === 0 || !Number.isFinite(media.duration) || Math.abs(at_s - last_s) < 1) return;
    last_s = at_s;
    const worth = at_s > FIRST_S && at_s < media.duration - LAST_S;
    try {
      if (worth) localStorage.setItem(key(videoId), at_s.toFixed(1));
      else localStorage.removeItem(key(videoId));
    } catch {
      // storage is full or switched off: the house still knows, if it was told
    }
    if (url) post(url, { video_id: videoId, position_s: Number(at_s.toFixed(1)) }).catch(() => undefined);
  };
  setInterval(() => {
    if (!media.paused) keep();
  }, EVERY_MS);
  media.addEventListener("pause", keep);
  window.addEventListener("pagehide", keep);
}
