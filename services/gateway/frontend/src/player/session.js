/** Media keys, lock screens and headsets: the same gestures as the buttons. */

/**
 * @param {HTMLVideoElement} media @param {import("./deck.js").Acts} acts
 * @param {{title: string, artist: string, artwork: string}} words
 */
export function announce(media, acts, words) {
  if (!("mediaSession" in navigator)) return;
  const session = navigator.mediaSession;
  session.metadata = new MediaMetadata({
    title: words.title,
    artist: words.artist,
    artwork: words.artwork ? [{ src: words.artwork }] : [],
  });
  /** @type {Partial<Record<MediaSessionAction, MediaSessionActionHandler>>} */
  const handlers = {
    play: () => acts.play(),
    pause: () => acts.pause(),
    seekbackward: (step) => acts.seekTo(Math.max(0, acts.position_s() - (step.seekOffset ?? 10))),
    seekforward: (step) => acts.seekTo(acts.position_s() + (step.seekOffset ?? 10)),
    seekto: (step) => acts.seekTo(step.seekTime ?? 0),
    nexttrack: () => acts.step(1),
    previoustrack: () => acts.step(-1),
  };
  for (const [name, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(/** @type {MediaSessionAction} */ (name), handler);
    } catch {
      // older browsers refuse names they do not know
    }
  }
  const tell = () => {
    session.playbackState = acts.wantsPlay() ? "playing" : "paused";
    if (!Number.isFinite(media.duration)) return;
    const position = Math.min(media.duration, media.currentTime);
    session.setPositionState?.({ duration: media.duration, playbackRate: media.playbackRate || 1, position });
  };
  for (const name of ["play", "pause", "seeked", "ratechange", "durationchange"]) media.addEventListener(name, tell);
}
