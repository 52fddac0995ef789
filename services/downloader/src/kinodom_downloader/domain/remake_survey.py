"""Finds what is to be remade, whatever was lost on the way: the guarantee behind the hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_downloader.domain import ladder
from kinodom_downloader.domain import remakes as rules
from kinodom_downloader.domain.remaking import closed_s, is_busy

if TYPE_CHECKING:
    from kinodom_downloader.domain.remake_ports import Tools

SURVEY_EVERY_S = 3600.0
NEWEST = 50  # of the films that are ready, looked at in each sweep


class Survey:
    """Finds the films that lack a rendition, and hints at what is due while nobody waits for a film."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._seen: set[str] = set()
        self._all_at_s = float("-inf")

    def __call__(self) -> None:
        """Look; any worker, any time, as often as you like."""
        tools, now_s = self._tools, self._tools.clock()
        if tools.ladder != ladder.Ladder():
            self._look(now_s)
        line = tools.remakes.in_line()
        tools.maker.clear(self._is_current)
        due = [one for one in line if rules.is_due(one, now_s=now_s)]
        held = any(rules.is_held(one, now_s=now_s) for one in line)
        if due and not held and not is_busy(tools) and not closed_s(tools):
            tools.hint(due[0].video_id, due[0].attempt)

    def _look(self, now_s: float) -> None:
        tools = self._tools
        ids = [wish.wish_id for wish in tools.wishes.done(NEWEST)]
        if now_s - self._all_at_s >= SURVEY_EVERY_S:
            self._all_at_s = now_s
            self._seen.clear()
            ids += tools.maker.every()
            self._forget_the_gone()
        for video_id in ids:
            if video_id in self._seen:
                continue
            self._seen.add(video_id)
            video = tools.maker.published(video_id)
            if video is not None and (rungs := ladder.missing(video, tools.ladder)):
                heights_px = tuple(rung.height_px for rung in rungs)
                tools.remakes.add(rules.new_remake(video_id, video.title.name, heights_px, now_s=now_s))

    def _is_current(self, video_id: str) -> bool:
        try:
            return self._tools.remakes.get(video_id).token is not None
        except rules.NoSuchRemake:
            return False

    def _forget_the_gone(self) -> None:
        for one in self._tools.remakes.every():
            if one.token is None and not self._tools.maker.shown(one.video_id):
                self._tools.remakes.drop(one.video_id)
