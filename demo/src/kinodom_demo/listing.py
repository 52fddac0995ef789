"""The JSON of the site. It has its own words on purpose: it stands for a site that never heard of this house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_demo.recipes import HEIGHTS_PX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_demo.films import Film, Version


def list_page(films: Iterable[Film], *, seconds: int) -> dict[str, object]:
    """Return the answer of `GET /api/films`."""
    return {"films": [_film(film, seconds=seconds) for film in films]}


def film_page(film: Film, *, seconds: int) -> dict[str, object]:
    """Return the answer of `GET /api/films/<slug>`."""
    return {"film": _film(film, seconds=seconds)}


def _film(film: Film, *, seconds: int) -> dict[str, object]:
    return {
        "slug": film.slug,
        "type": "series" if film.episodes else "film",
        "title": film.title,
        "title_original": film.title_original,
        "year": film.year,
        "synopsis": film.synopsis,
        "genres": list(film.genres),
        "licence": "CC0 1.0",
        "poster": f"/films/{film.slug}/poster.jpg",
        "episodes": len(film.episodes) or None,
        "versions": [_version(film, version, seconds=seconds) for version in film.versions],
    }


def _version(film: Film, version: Version, *, seconds: int) -> dict[str, object]:
    return {
        "id": version.id,
        "studio": version.studio,
        "kind": version.kind,
        "lang": version.language,
        "heights": list(HEIGHTS_PX),
        "parts": [_part(film, version, number, seconds=seconds) for number in film.parts],
    }


def _part(film: Film, version: Version, number: int, *, seconds: int) -> dict[str, object]:
    folder = f"/films/{film.slug}/{version.id}/{number}"
    return {
        "season": 1 if film.episodes else None,
        "number": number if film.episodes else None,
        "title": film.episodes[number - 1] if film.episodes else None,
        "seconds": seconds,
        "playlist": f"{folder}/master.m3u8",
    }
