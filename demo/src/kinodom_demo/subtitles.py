"""Subtitles of the demo films: WebVTT, a line every four seconds."""

from __future__ import annotations

from typing import Final

LANGUAGE_NAMES: Final = {"ru": "Русские", "en": "English"}
CUE_S: Final = 4
LINES: Final = {
    "en": (
        "The lamp was lit at six.",
        "No ship has asked for it since spring.",
        "There is a letter under the oil can.",
        "It is dated next April.",
        "“Please wind the clock,” it says.",
        "So I wound the clock.",
        "The gulls took the envelope.",
        "Low tide. The bicycle is still there.",
        "Somebody has oiled the chain.",
        "I will write back tomorrow.",
    ),
    "ru": (
        "Лампу зажгли в шесть.",
        "С весны её не просил ни один корабль.",
        "Под маслёнкой лежит письмо.",
        "На нём дата: апрель будущего года.",
        "«Заведите, пожалуйста, часы».",
        "И я завёл часы.",
        "Конверт унесли чайки.",
        "Отлив. Велосипед на месте.",
        "Кто-то смазал цепь.",
        "Отвечу завтра.",
    ),
}


def web_vtt(language: str, part: int, *, seconds: int) -> str:
    """Return the subtitles of one part; a later part begins with a later line."""
    lines = LINES[language]
    cues = [
        f"{_clock(start + 0.5)} --> {_clock(min(start + CUE_S - 0.5, seconds))}\n"
        f"{lines[(start // CUE_S + 3 * (part - 1)) % len(lines)]}\n"
        for start in range(0, max(seconds - 1, 1), CUE_S)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def media_playlist(language: str, *, seconds: int) -> str:
    """Return the HLS playlist that holds the whole WebVTT file as one segment."""
    return (
        f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{seconds}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:{seconds}.0,\n{language}.vtt\n#EXT-X-ENDLIST\n"
    )


def with_subtitles(master: str, languages: tuple[str, ...]) -> str:
    """Return a master playlist to which the subtitle renditions were added."""
    if not languages:
        return master
    media = "".join(
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="{LANGUAGE_NAMES[language]}",LANGUAGE="{language}",'
        f'AUTOSELECT=YES,DEFAULT=NO,URI="{language}.m3u8"\n'
        for language in languages
    )
    lines = [
        f'{line},SUBTITLES="words"' if line.startswith("#EXT-X-STREAM-INF:") else line for line in master.splitlines()
    ]
    first = next(number for number, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:"))
    return "\n".join(lines[:first]) + "\n" + media + "\n".join(lines[first:]) + "\n"


def _clock(at_s: float) -> str:
    minutes, seconds = divmod(at_s, 60)
    return f"{int(minutes):02d}:{seconds:06.3f}"
