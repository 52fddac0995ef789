"""The words of pages, scripts and errors: the Russian catalogue is complete, and pages use it."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg

from kinodom_common.contracts.rooms import RoomRequest
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_gateway.i18n import catalogue, compiled, script_words
from kinodom_gateway.presenters import reasons
from tests.support.gateway import EXTERNAL, TITLE_ID, House, a_house, a_video, a_wish, item_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "services/gateway"
RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}
SAME = {"Origin": "http://localhost"}
VALUE = re.compile(r"%\((\w+)\)[sd]")
SHOWN = {"aria-label", "alt", "placeholder", "title", "data-copied", "data-play", "data-pause", "data-busy"}
# What stands on a Russian page in Latin letters: names, addresses, codes.
NAMES = re.compile(
    r"The Tin Lighthouse|Studio Kotelnaya|Kotelnaya|Prichal|Part \d|Internet Archive|Kinodom|English"
    r"|demo:tin-lighthouse|http\S+|[a-z]+(?:_[a-z]+)+|Shift|[KJLMSNPCDFI]\b|\d+p\b|QR|[Cc]ookie|lighthouse|^[0-9a-f]{32}$"
    r"|Kodik|KINODOM_\w+|session|films\.example|TLS|HTTP|CONNECT"
)
ROOM = "room-1"


@cache
def extracted() -> dict[str, str | tuple[str, ...]]:
    """Return what the pages and scripts say, by its key, as `make words` finds it."""
    with (GATEWAY / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    named = re.findall(r" -k (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    keywords = DEFAULT_KEYWORDS | parse_keywords(named)
    found: dict[str, str | tuple[str, ...]] = {}
    for folder in ("src", "frontend/src"):
        for _file, _line, text, _notes, _context in extract_from_dir(GATEWAY / folder, methods, options, keywords):
            found[text if isinstance(text, str) else text[0]] = text
    return found


@cache
def russian() -> dict[str, str | tuple[str, ...]]:
    """Return the entries of the catalogue by their keys."""
    held = catalogue("ru")
    assert held is not None
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string for message in held if message.id
    }


class Texts(HTMLParser):
    """Collects what a page shows or reads aloud; scripts are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found += [value for name, value in attrs if name in SHOWN and value]

    def handle_data(self, data: str) -> None:
        if self.inside != "script" and data.strip():
            self.found.append(" ".join(data.split()))


def texts_of(page: str) -> list[str]:
    reader = Texts()
    reader.feed(page)
    return reader.found


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = a_house(tmp_path)
    made.put_on_disk(a_video())
    made.downloader.kept = [
        a_wish(),
        a_wish("waiting", 3, reason_code="no_space", reason="Less than 40 GB would be left."),
    ]
    made.sync.create_room(
        RoomRequest(
            title_id=TITLE_ID,
            name="The Tin Lighthouse",
            items=(item_of(a_video()),),
            item=a_video().video_id,
            pos_ms=0,
            owner="x",
        )
    )
    return made


def read(browser: FlaskClient, path: str) -> TestResponse:
    return browser.get(path, headers={**RUSSIAN, "Accept": "text/html"})


def test_the_catalogue_holds_every_word_and_no_other() -> None:
    assert extracted()
    assert sorted(set(extracted()) - set(russian())) == [], "run make words and fill in what came empty"
    assert sorted(set(russian()) - set(extracted())) == [], "run make words"


def test_no_entry_is_empty_or_fuzzy_and_each_keeps_its_values() -> None:
    held = catalogue("ru")
    assert held is not None
    for message in held:
        if not message.id:
            continue
        keys = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        assert not message.fuzzy, keys[0]
        assert len(texts) == (1 if len(keys) == 1 else 3), keys[0]
        assert all(texts), keys[0]
        for text in texts:
            assert sorted(VALUE.findall(text)) == sorted(VALUE.findall(keys[0])), keys[0]
            assert "!" not in text, keys[0]


def test_words_that_the_reader_of_sources_could_lose_are_in_the_catalogue() -> None:
    python = re.compile(r"""(?<![\w.])(?:_|ngettext|mark)\(\s*["'](.+?)["'][,)]""")
    script = re.compile(r"""(?<![\w.])tn?\(\s*["'](.+?)["'][,)]""")
    lost = {
        f"{path.name}: {key}"
        for suffix, pattern, folder in (
            ("*.py", python, "src"),
            ("*.html", python, "src"),
            ("*.js", script, "frontend/src"),
        )
        for path in (GATEWAY / folder).rglob(suffix)
        if "static" not in path.parts
        for key in pattern.findall(path.read_text(encoding="utf-8"))
        if key not in russian()
    }

    assert lost == set()


def test_plural_forms_are_right_from_0_to_125() -> None:
    words = compiled("ru")
    for n in range(126):
        ones, tens = n % 10, n % 100
        many = (tens >= 11 and tens <= 14) or ones == 0 or ones >= 5
        form = "серий" if many else "серия" if ones == 1 else "серии"

        assert words.ungettext("%(num)d episode", "%(num)d episodes", n) % {"num": n} == f"{n} {form}"


def test_the_scripts_get_their_words_and_no_others() -> None:
    words = script_words("ru")

    assert words["Speed"] == "Скорость"
    assert words["%(n)s minute left"] == ["осталась %(n)s минута", "осталось %(n)s минуты", "осталось %(n)s минут"]
    assert "Download" not in words
    assert script_words("en") == {}


def test_a_russian_page_carries_the_words_of_the_scripts(house: House) -> None:
    page = read(house.client(), f"/watch/{a_video().video_id}").text
    english = house.client().get(f"/watch/{a_video().video_id}").text

    blocks = re.findall(r'<script type="application/json" id="words">(.*?)</script>', page)
    assert [json.loads(block) for block in blocks] == [script_words("ru")]
    assert 'id="words"' not in english


PAGES = (
    "/", "/search?q=lighthouse", "/search?q=qqq", "/search?q=", f"/titles/{TITLE_ID}", f"/find/{EXTERNAL}",
    "/downloads", f"/watch/{a_video().video_id}", "/rooms", "/sources",
    f"/rooms/{ROOM}", "/nowhere", "/watch/zz", "/rooms/none", "/titles/none",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_russian_page_says_nothing_in_english(house: House, path: str) -> None:
    answer = read(house.client(), path)

    shown = [NAMES.sub("", text) for text in texts_of(answer.text) if "qqq" not in text]
    keys = {key for key, text in russian().items() if key != text}
    assert '<html lang="ru">' in answer.text
    assert [text for text in shown if text in keys] == []
    assert [text for text in shown if re.search("[A-Za-z]{2,}", text)] == []


def test_pages_use_the_words_of_the_house(house: House) -> None:
    browser = house.client()
    title = texts_of(read(browser, f"/titles/{TITLE_ID}").text)
    downloads = texts_of(read(browser, "/downloads").text)
    nothing = texts_of(read(browser, "/search?q=qqq").text)

    assert {"на диске", "загружается", "можно скачать", "Смотреть", "Смотреть вместе"} <= set(title)
    assert "Ждёт места: на диске его слишком мало. Удалите что-нибудь, и загрузка пойдёт сама." in downloads
    assert "По этому названию ничего нет. Проверьте буквы или вставьте адрес страницы." in nothing


def test_a_dub_that_lacks_an_episode_says_so_and_numbers_have_commas(house: House) -> None:
    page = texts_of(read(house.client(), f"/titles/{TITLE_ID}?dub=kotelnaya").text)
    search = texts_of(read(house.client(), "/search?q=lighthouse").text)

    assert "нет в этой озвучке" in page
    assert "1 фильм, 0,0 с" in search


def test_a_silent_source_is_told_by_its_code(house: House) -> None:
    assert "Ответа вовремя не было. Остальное нашлось. Поищите ещё раз через минуту." in texts_of(
        read(house.client(), "/search?q=lighthouse").text
    )
    assert "It did not answer in time." in house.client().get("/search?q=lighthouse").text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound("It has gone."), "У источника этого фильма больше нет. Что на диске, остаётся."),
        (UpstreamFailed("No."), "Ответ не пришёл вовремя. Попробуйте чуть позже."),
    ],
)
def test_a_title_of_the_house_says_why_its_source_is_missing(house: House, error: NotFound, told: str) -> None:
    house.resolver.error = error

    assert told in texts_of(read(house.client(), f"/titles/{TITLE_ID}").text)


def test_every_title_and_code_of_an_error_that_a_person_may_meet_has_words() -> None:
    inner = {
        "key_missing", "wrong_host", "already_there", "unstorable", "not_stored", "schema_too_new", "unknown_job",
        "cover_not_kept",
    }  # fmt: skip
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "services").glob("*/src/**/*.py")]
    codes = {code for text in sources for code in re.findall(r'^    code(?:: ClassVar\[str\])? = "(\w+)"', text, re.M)}
    titles = {one for text in sources for one in re.findall(r'^    title(?:: ClassVar\[str\])? = "(.+)"', text, re.M)}

    assert len(codes) > 70
    assert codes - inner - set(reasons.SENTENCES) == set()
    assert titles - set(reasons.TITLES) == set()


def test_an_unknown_code_keeps_the_words_of_the_service(house: House) -> None:
    house.downloader.kept = [a_wish("refused", 3, reason_code="made_up", reason="Nobody foresaw this.")]

    assert "Nobody foresaw this." in texts_of(read(house.client(), "/downloads").text)


def token_of(browser: FlaskClient) -> str:
    found = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get("/").text)
    assert found is not None
    return found.group(1)


def choose(browser: FlaskClient, language: str, back: str = "/") -> TestResponse:
    sent = {"csrf": token_of(browser), "language": language, "back": back}
    return browser.post("/language", data=sent, headers={**SAME, "Accept": "text/html"})


def test_a_chosen_language_wins_over_the_browser_and_the_page_comes_back(house: House) -> None:
    browser = house.client()

    answer = choose(browser, "ru", "/search?q=%D0%BC%D0%B0%D1%8F%D0%BA")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/search?q=%D0%BC%D0%B0%D1%8F%D0%BA")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("language=ru"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert '<html lang="ru">' in browser.get("/", headers={"Accept-Language": "en"}).text
    choose(browser, "en")
    assert '<html lang="en">' in browser.get("/", headers=RUSSIAN).text


def test_every_page_offers_both_languages_and_names_its_own_address(house: House) -> None:
    page = house.client().get("/search?q=%D0%BC%D0%B0%D1%8F%D0%BA").text

    assert 'name="back" value="/search?q=%D0%BC%D0%B0%D1%8F%D0%BA"' in page
    assert re.search(r'value="ru" lang="ru">Русский</button>', page)
    assert re.search(r'value="en" lang="en" aria-current="true">English</button>', page)


@pytest.mark.parametrize(
    "back", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "", "/ x"]
)
def test_the_switch_leads_to_no_other_site(house: House, back: str) -> None:
    assert choose(house.client(), "ru", back).status_code == 400


def test_a_language_that_the_house_does_not_speak_is_refused(house: House) -> None:
    assert choose(house.client(), "xx").status_code == 400


def test_the_switch_wants_the_token_of_a_page(house: House) -> None:
    assert house.client().post("/language", data={"language": "ru"}, headers=SAME).status_code == 403
