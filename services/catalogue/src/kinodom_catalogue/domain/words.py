"""Names as people type them: one spelling for Cyrillic and Latin, and how alike two names are. No I/O.

Both alphabets are folded to one rough Latin spelling. It loses what people mix up anyway: `Сингэки` and `Shingeki`,
`Matrix` and `Матрикс`, `ё` and `е` come out the same.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    "і": "i", "ї": "i", "є": "e", "ґ": "g", "ў": "u",
}  # fmt: skip

# In order; each is something the two alphabets, or two habits of transliteration, write in different ways.
_ROUGH = (
    ("shch", "sh"), ("sch", "sh"), ("dzh", "j"), ("kh", "h"), ("ph", "f"), ("th", "t"), ("wh", "v"), ("w", "v"),
    ("qu", "kv"), ("q", "k"), ("x", "ks"), ("ck", "k"), ("tz", "ts"), ("y", "i"), ("ii", "i"), ("shi", "si"),
    ("chi", "ti"), ("tsu", "tu"), ("dzi", "ji"), ("zi", "ji"), ("io", "e"), ("ie", "e"), ("ou", "o"), ("oo", "u"),
)  # fmt: skip

_HARD_C = re.compile(r"c(?=[aoulrkt]|$)")
_TWICE = re.compile(r"(.)\1+")
_WORD = re.compile(r"[^\W_]+")

_KEYS = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`",
    "йцукенгшщзхъфывапролджэячсмитьбюё",
)
SAME_NAME = 0.86  # of `likeness`; below it two names are two titles


def folded(text: str) -> str:
    """Return the words of a name in the one rough spelling, with a space between."""
    return " ".join(words_of(text))


def words_of(text: str) -> list[str]:
    """Return the words of a name in the one rough spelling."""
    found = (_rough(word) for word in _WORD.findall(_plain(text)))
    return [word for word in found if word]


def other_layout(text: str) -> str:
    """Return what was meant if somebody typed Russian on a Latin keyboard: `yfhenj` is `наруто`."""
    return text.lower().translate(_KEYS)


def likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0 to 1; the order of the words does not matter much."""
    first, second = words_of(one), words_of(other)
    if not first or not second:
        return 0.0
    straight = SequenceMatcher(None, "".join(first), "".join(second), autojunk=False).ratio()
    ordered = SequenceMatcher(None, "".join(sorted(first)), "".join(sorted(second)), autojunk=False).ratio()
    numbers = [word for word in first if word.isdigit()] == [word for word in second if word.isdigit()]
    return max(straight, ordered) if numbers else 0.5 * max(straight, ordered)  # a second part is another title


def _plain(text: str) -> str:
    """Return the text in lower case, without accents, in compatible letters; Cyrillic й is a letter, not an accent."""
    kept = []
    for char in unicodedata.normalize("NFKC", text).casefold():
        latin = _CYRILLIC.get(char)
        if latin is not None:
            kept.append(latin)
        elif char in "'’`":
            continue
        else:
            kept += [part for part in unicodedata.normalize("NFD", char) if not unicodedata.combining(part)]
    return "".join(kept)


def _rough(word: str) -> str:
    for said, written in _ROUGH:
        word = word.replace(said, written)
    return _TWICE.sub(r"\1", _HARD_C.sub("k", word)) if not word.isdigit() else word
