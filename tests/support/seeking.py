"""A seek that is done when the frame of its moment is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SEEK = """([at_s, near_s, limit_ms]) => new Promise((done) => {
  const video = document.querySelector('video');
  let shown_s = NaN;
  const look = (_now, frame) => {
    shown_s = frame.mediaTime;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  video.currentTime = at_s;
  // a frame may come before its seek is over, and none after it: the film stands
  setInterval(() => { if (!video.seeking && Math.abs(shown_s - at_s) < near_s) done(true); }, 50);
  setTimeout(() => done(false), limit_ms);
})"""


def lands(page: Page, at_s: float, *, near_s: float, limit_s: float = 20.0) -> bool:
    """Seek, and return whether a frame of this moment was shown in time."""
    return bool(page.evaluate(SEEK, [at_s, near_s, limit_s * 1000]))
