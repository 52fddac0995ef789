"""Which H.264 encoder works on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_common.media_tools import encoder_probe
from kinodom_common.processes import checked

if TYPE_CHECKING:
    from kinodom_common.media_tools import Encoder
    from kinodom_downloader.adapters.sources import Runner

log = get_log(__name__)

_PROBE_S = 20.0


def working_encoder(wanted: Encoder, *, run: Runner) -> Encoder:
    """Return the wanted encoder when it works here, else `libx264`, which works everywhere; said in the log."""
    if wanted == "libx264":
        return wanted
    try:
        checked(run(encoder_probe(wanted), timeout_s=_PROBE_S), "ffmpeg")
    except KinodomError as exc:
        log.warning("encoder_does_not_work", encoder=wanted, error=exc.detail)
        return "libx264"
    return wanted
