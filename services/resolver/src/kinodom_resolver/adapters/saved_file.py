"""Reads the file of answers saved elsewhere: `KINODOM_SAVED_DATA_FILE`.

    {"format": "kinodom-saved-1",
     "answers": [{"kind": "search", "source": "demo", "question": "moon", "given_at": "2026-11-01T12:00:00Z",
                  "answer": {"query": "moon", "hits": []}}]}

`kind` is `search`, `title` or `offers`; `question` the words in lower case, the external id, or
`<external id> <season> <episode> <translation id>` with `None` for what a film has not; `answer` a `SearchReply`,
`SourceTitle` or `OfferList` of docs/api.md. The cache file of Kodik-Download-Watch is read too (`saved_cache_file`).
A row that cannot be read costs itself alone.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from kinodom_common.logs import get_log
from kinodom_resolver.adapters.saved_cache_file import answers_in, is_cache_file
from kinodom_resolver.domain.questions import MODEL_OF

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_resolver.adapters.saved_cache_file import Saved
    from kinodom_resolver.domain.questions import QuestionKind

log = get_log(__name__)

FORMAT = "kinodom-saved-1"
MOST_BYTES = 64_000_000


def read_saved(path: Path) -> list[Saved]:
    """Return the answers in the file: key, answer, seconds since 1970. A file that cannot be read has none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is larger than 64 MB")  # noqa: TRY301  # told like all the other reasons
        content = json.loads(path.read_text(encoding="utf-8"))
        good, left_out = _rows(content)
    except (OSError, ValueError, RecursionError) as exc:
        log.warning("saved_answers_not_read", error=str(exc)[:200])
        return []
    if left_out:
        log.warning("saved_answers_left_out", count=left_out)
    return good


def _rows(content: object) -> tuple[list[Saved], int]:
    """Return the answers, and how many rows told none; raises ValueError for a file of another kind."""
    if isinstance(content, dict) and is_cache_file(content):
        return answers_in(content)
    rows = content.get("answers") if isinstance(content, dict) and content.get("format") == FORMAT else None
    if not isinstance(rows, list):
        raise ValueError(f"it is neither {FORMAT} nor a cache of Kodik-Download-Watch")  # noqa: TRY004  # told as others
    good = [one for row in rows if (one := _row(row)) is not None]
    return good, len(rows) - len(good)


def _row(row: object) -> Saved | None:
    if not isinstance(row, dict) or row.get("kind") not in MODEL_OF:
        return None
    kind: QuestionKind = row["kind"]
    try:
        given_s = datetime.fromisoformat(row["given_at"]).timestamp()
        value = MODEL_OF[kind].model_validate(row["answer"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    source, question = row.get("source"), row.get("question")
    return ((kind, source, question), value, given_s) if isinstance(source, str) and isinstance(question, str) else None
