"""The three films of the site. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["ts", "ts_aes128", "fmp4"]
SceneName = Literal["lighthouse", "moon", "fleet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One dub, or the original."""

    id: str
    studio: str
    kind: Literal["dub", "original"]
    language: str  # BCP 47
    base_hz: int  # of its tune: dubs are told apart by ear
    tune: tuple[int, ...]  # semitones above the base, two notes a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film, or a series when it has names of episodes."""

    slug: str
    title: str
    title_original: str
    year: int
    synopsis: str
    genres: tuple[str, ...]
    scene: SceneName
    form: Form
    versions: tuple[Version, ...]
    episodes: tuple[str, ...] = ()  # names, from number 1 up
    subtitles: tuple[str, ...] = ()  # languages

    @property
    def parts(self) -> range:
        """Return the numbers of its parts as they stand in addresses; a film has one."""
        return range(1, max(1, len(self.episodes)) + 1)

    def version(self, version_id: str) -> Version | None:
        """Return a version by its id."""
        return next((one for one in self.versions if one.id == version_id), None)


FILMS: Final = (
    Film(
        slug="the-tin-lighthouse",
        title="The Tin Lighthouse",
        title_original="Жестяной маяк",
        year=2026,
        synopsis=(
            "The keeper of a lighthouse that no ship needs any more finds a letter in the oil store, dated next "
            "spring. Every week brings another one, and each asks for something small."
        ),
        genres=("Drama", "Mystery"),
        scene="lighthouse",
        form="ts",
        versions=(
            Version(
                id="prichal", studio="Prichal", kind="dub", language="ru", base_hz=196, tune=(0, 7, 12, 7, 3, 7, 10, 7)
            ),
            Version(
                id="kotelnaya",
                studio="Studio Kotelnaya",
                kind="dub",
                language="ru",
                base_hz=330,
                tune=(0, 0, 5, 5, 7, 7, 5, 12),
            ),
        ),
        episodes=("What the Gulls Took", "A Bicycle for the Tide", "Oil for the Lamp"),
        subtitles=("ru", "en"),
    ),
    Film(
        slug="salt-and-moon",
        title="Salt and Moon",
        title_original="Соль и луна",
        year=2021,
        synopsis="Two sisters carry a bag of salt across a frozen bay, and the moon keeps the count of their steps.",
        genres=("Drama",),
        scene="moon",
        form="ts_aes128",
        versions=(
            Version(
                id="original",
                studio="Original",
                kind="original",
                language="ru",
                base_hz=147,
                tune=(0, 3, 7, 10, 12, 10, 7, 3),
            ),
        ),
    ),
    Film(
        slug="paper-fleet",
        title="Paper Fleet",
        title_original="Бумажный флот",
        year=2025,
        synopsis="A school class folds four hundred boats out of its exam papers and sends them down the river.",
        genres=("Comedy", "Family"),
        scene="fleet",
        form="fmp4",
        versions=(
            Version(
                id="original",
                studio="Original",
                kind="original",
                language="ru",
                base_hz=262,
                tune=(0, 4, 7, 4, 9, 7, 4, 2),
            ),
        ),
    ),
)


def film_of(slug: str) -> Film | None:
    """Return a film by its slug."""
    return next((film for film in FILMS if film.slug == slug), None)


def films_for(query: str) -> list[Film]:
    """Return the films that hold all words of a query in a title or the synopsis; all films for an empty one."""
    words = query.casefold().split()
    return [film for film in FILMS if all(word in _text(film) for word in words)]


def _text(film: Film) -> str:
    return " ".join((film.title, film.title_original, film.synopsis, *film.episodes)).casefold()
