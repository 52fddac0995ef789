"""Further qualities of films that are on their way, as the downloads page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.presenters import reasons, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.videos import RenditionJob

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemakeRow:
    """One film that gets further qualities."""

    video_id: str
    name: str
    watch_url: str
    facts: str  # which
    running: bool
    percent: int
    told: str  # how it stands
    refused: bool


def remake_rows(found: Sequence[RenditionJob]) -> tuple[RemakeRow, ...]:
    """Return the first of them, what is made now at the head."""
    order = sorted(found, key=lambda one: (one.state != "running", one.state != "refused"))
    return tuple(_row(one) for one in order[:MOST_SHOWN])


def _row(one: RenditionJob) -> RemakeRow:
    percent = words.percent(one.fraction)
    if one.state == "running":
        told = _("a further quality is being made, %(n)d %%", n=percent)
    elif one.state == "wanted":
        told = _("made when nothing is being downloaded")
    else:
        told = reasons.sentence(one.reason_code or "internal", one.reason or "")
    return RemakeRow(
        video_id=one.video_id,
        name=one.name,
        watch_url=url_for("watching.watch", video_id=one.video_id),
        facts=", ".join(f"{height}p" for height in one.heights_px),
        running=one.state == "running",
        percent=percent,
        told=told,
        refused=one.state == "refused",
    )
