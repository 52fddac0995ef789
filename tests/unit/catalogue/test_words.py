from __future__ import annotations

import pytest

from kinodom_catalogue.domain.words import SAME_NAME, folded, likeness, other_layout, words_of


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Наруто", "Naruto"),
        ("Матрикс", "Matrix"),
        ("Метрополис", "Metropolis"),
        ("Чернобыль", "Chernobyl"),
        ("Ёжик", "Ezhik"),
        ("Хоббит", "Hobbit"),
        ("Сингэки", "Shingeki"),
        ("Брат", "Brat"),
        ("Щука", "Shchuka"),
        ("Юность", "Yunost"),
        ("Цунаде", "Tsunade"),
        ("Йога", "Yoga"),
        ("Вий", "Viy"),
        ("Амели", "Amélie".removesuffix("e")),
    ],
)
def test_both_alphabets_are_folded_to_one_spelling(cyrillic: str, latin: str) -> None:
    assert folded(cyrillic) == folded(latin)


def test_words_survive_marks_and_case() -> None:
    assert words_of("  WALL·E: «Ёлки»—2! ") == words_of("wall e елки 2")


def test_numbers_are_kept_as_they_are() -> None:
    assert words_of("2001: A Space Odyssey")[0] == "2001"
    assert words_of("1100")[0] == "1100"


def test_a_text_without_words_has_none() -> None:
    assert words_of("!?… —") == []


def test_russian_on_a_latin_keyboard_is_understood() -> None:
    assert other_layout("yfhenj") == "наруто"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Metropolis", "metropolis"),
        ("The Matrix", "Matrix, The"),
        ("Guardians of the Galaxy Vol. 2", "Guardians of the Galaxy Vol 2"),
        ("Кулинарные скитания", "Кулинарные скитаня"),
        ("Наруто", "Naruto"),
    ],
)
def test_names_that_mean_the_same_are_alike(one: str, other: str) -> None:
    assert likeness(one, other) >= SAME_NAME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Batman", "Batman Begins"),
        ("Alien", "Aliens 3"),
        ("Кулинарные скитания в параллельном мире", "Кулинарные скитания в параллельном мире 2"),
        ("Metropolis", "Nosferatu"),
        ("", "Metropolis"),
    ],
)
def test_names_of_different_titles_are_not_alike(one: str, other: str) -> None:
    assert likeness(one, other) < SAME_NAME
