"""Language tags of tracks: one spelling (BCP 47, shortest form), and a safe part of a file name."""

from __future__ import annotations

import re

UNKNOWN = "und"
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
# ISO 639-2 codes that containers carry, where a two-letter code exists.
_SHORT = {
    "rus": "ru", "eng": "en", "ukr": "uk", "jpn": "ja", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr",
    "spa": "es", "ita": "it", "por": "pt", "pol": "pl", "zho": "zh", "chi": "zh", "kor": "ko", "tur": "tr",
    "ces": "cs", "cze": "cs", "nld": "nl", "dut": "nl", "swe": "sv", "fin": "fi", "nor": "no", "dan": "da",
    "hun": "hu", "ron": "ro", "rum": "ro", "bul": "bg", "srp": "sr", "hrv": "hr", "slk": "sk", "slo": "sk",
    "slv": "sl", "ell": "el", "gre": "el", "heb": "he", "ara": "ar", "hin": "hi", "tha": "th", "vie": "vi",
    "ind": "id", "lit": "lt", "lav": "lv", "est": "et", "bel": "be", "kaz": "kk", "kat": "ka", "geo": "ka",
    "hye": "hy", "arm": "hy", "aze": "az", "uzb": "uz",
}  # fmt: skip
_NAMES = {
    "ru": "Русский", "en": "English", "uk": "Українська", "ja": "日本語", "de": "Deutsch", "fr": "Français",
    "es": "Español", "it": "Italiano", "pt": "Português", "pl": "Polski", "zh": "中文", "ko": "한국어",
    "tr": "Türkçe", "cs": "Čeština", "kk": "Қазақша", "be": "Беларуская",
}  # fmt: skip


def language_tag(text: str | None) -> str:
    """Return the tag in lower case and its shortest form, `und` for nothing and for nonsense."""
    tag = (text or "").strip().lower().replace("_", "-")
    tag = _SHORT.get(tag, tag)
    return tag if _TAG.fullmatch(tag) and len(tag) <= 20 else UNKNOWN


def three_letters(tag: str) -> str:
    """Return the ISO 639-2 code that old containers know, `und` when we know none."""
    short = tag.partition("-")[0]
    if re.fullmatch(r"[a-z]{3}", short):
        return short
    return next((long for long, known in _SHORT.items() if known == short), UNKNOWN)


def language_name(tag: str) -> str:
    """Return the language's own name for people, or the tag when we do not know it."""
    return _NAMES.get(tag.partition("-")[0], tag)


def distinct_name(stem: str, tag: str, taken: set[str]) -> str:
    """Return `a-ru`, or `a-ru-2`, … when that is taken; the name is added to `taken`."""
    name, number = f"{stem}-{tag}", 1
    while name in taken:
        number += 1
        name = f"{stem}-{tag}-{number}"
    taken.add(name)
    return name
