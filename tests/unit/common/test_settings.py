"""Settings: read once, whole, from what is given and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr, ValidationError

from kinodom_common.settings import CommonSettings, read_settings

KEY = {"KINODOM_INNER_KEY": "an invented key"}


class Sample(CommonSettings):
    store: str
    parallel: Annotated[int, Field(ge=1, le=16)] = 2
    other_key: SecretStr | None = None


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SystemExit) as caught:
        read_settings(Sample, environ)
    return str(caught.value)


def test_every_mistake_is_listed_at_once() -> None:
    text = refusal({"KINODOM_PARALLEL": "99", "KINODOM_LOG_LEVEL": "LOUD"})

    for name in ("KINODOM_INNER_KEY", "KINODOM_STORE", "KINODOM_PARALLEL", "KINODOM_LOG_LEVEL"):
        assert text.count(f"{name}:") == 1


def test_a_file_that_cannot_be_read_does_not_hide_other_mistakes(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    text = refusal({"KINODOM_INNER_KEY_FILE": str(gone), "KINODOM_PARALLEL": "99"})

    assert "KINODOM_INNER_KEY_FILE: cannot be read (No such file or directory)" in text
    assert "KINODOM_PARALLEL:" in text
    assert "KINODOM_STORE:" in text
    assert "KINODOM_INNER_KEY:" not in text


def test_a_file_that_is_not_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe\x00")

    assert "KINODOM_INNER_KEY_FILE: cannot be read (not UTF-8 text)" in refusal(
        {"KINODOM_INNER_KEY_FILE": str(path), "KINODOM_STORE": "x"}
    )


def test_an_empty_file_is_a_mistake_and_not_an_empty_secret(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("\n")

    assert "KINODOM_INNER_KEY_FILE: the file is empty" in refusal(
        {"KINODOM_INNER_KEY_FILE": str(path), "KINODOM_STORE": "x"}
    )


def test_a_file_gives_its_stripped_content_and_wins(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("  from the file\n")

    settings = read_settings(Sample, {**KEY, "KINODOM_INNER_KEY_FILE": str(path), "KINODOM_STORE": "x"})

    assert settings.inner_key.get_secret_value() == "from the file"


def test_empty_counts_as_not_set() -> None:
    settings = read_settings(Sample, {**KEY, "KINODOM_STORE": "x", "KINODOM_PARALLEL": "", "KINODOM_OTHER_KEY": ""})

    assert settings.parallel == 2
    assert settings.other_key is None


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINODOM_PARALLEL", "9")
    monkeypatch.setenv("KINODOM_STORE", "from the process")

    assert "KINODOM_STORE: Field required" in refusal(KEY)
    assert read_settings(Sample, {**KEY, "KINODOM_STORE": "x"}).parallel == 2


def test_a_refusal_holds_no_value_of_a_secret() -> None:
    text = refusal({**KEY, "KINODOM_OTHER_KEY": "hush-hush", "KINODOM_PARALLEL": "many"})

    assert "hush-hush" not in text
    assert "an invented key" not in text
    assert "many" not in text


def test_settings_cannot_be_changed_and_do_not_show_secrets() -> None:
    settings = read_settings(Sample, {**KEY, "KINODOM_STORE": "x"})

    with pytest.raises(ValidationError, match="frozen"):
        settings.store = "y"
    assert "an invented key" not in repr(settings)
