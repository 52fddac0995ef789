/** Somebody is watching: the house is told, so that it keeps what is played; and the way to the next episode. */
import { post, Refused } from "../page/http.js";

const EVERY_MS = 30_000;

/** @param {() => string} videoId of the film that plays now */
export function keepPresent(videoId) {
  const tell = () => {
    if (videoId()) post(`/api/v1/wishes/${videoId()}/view`, {}).catch(() => undefined); // a film from before wishes were kept
  };
  setInterval(tell, EVERY_MS);
  setTimeout(tell, 2000);
}

/**
 * Goes to the episode before or after, which the house begins to fetch when it does not have it; stays when there is none.
 * @param {import("../player.js").PlayerPage} page @param {1 | -1} step
 */
export async function goBeside(page, step) {
  try {
    const wish = await post("/api/v1/watch/neighbour", { video_id: page.video.video_id, step });
    location.assign(`/watch/${wish.wish_id}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}
