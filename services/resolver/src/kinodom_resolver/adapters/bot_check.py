"""Recognises a page that wants to see whether a person asks. It is told in words; nothing here gets around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bs4 import BeautifulSoup

from kinodom_common.egress import OutsideBadStatus
from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.adapters.parsing import PARSER, PageTooHard

if TYPE_CHECKING:
    from kinodom_common.egress import OutsideReply

PAGE_BYTES: Final = 200_000  # such pages are small
STATUSES: Final = frozenset({401, 403, 429, 503})  # with which they come; some come with 200
# One of these stands in every such page, and in many good ones: what decides is the page read as HTML.
HINTS: Final = re.compile(rb"challenge|_chl_|captcha|ddos-guard|turnstile|cloudflare|qrator", re.IGNORECASE)
# Good pages of the same sites load scripts of the same makers; these are the checks themselves.
CHECKS: Final = "script[src*='/orchestrate/'], script[src*=js-challenge], script[src*='/__qrator/'], #challenge-running"
CHECK_SCRIPT: Final = re.compile(r"_cf_chl_opt|ddg_challenge|__qrator")
MARKS: Final = (
    "#challenge-form, #challenge-stage, #challenge-error-text, #cf-wrapper, .cf-browser-verification, "
    "script[src*=ddos-guard]"
)
TITLES: Final = re.compile(
    r"just a moment|attention required|ddos-guard|checking your browser|один момент", re.IGNORECASE
)
CAPTCHAS: Final = ".cf-turnstile, .h-captcha, .g-recaptcha, iframe[src*=captcha], #captcha, form[action*=captcha]"
FEW_WORDS: Final = 600  # characters of a page that has nothing but its check
FEW_LINKS: Final = 5


class BotCheck(UpstreamFailed):
    """The site asks for proof that a person is there. The house does not give it."""

    code = "bot_check"
    title = "The site asks whether a person is there"


def is_challenge(body: bytes) -> bool:
    """Say whether a page is a bot check and nothing else; runs in a child."""
    page = BeautifulSoup(body[:PAGE_BYTES], "lxml")
    title = page.title.get_text(" ", strip=True) if page.title else ""
    checks = page.select_one(CHECKS) is not None or any(CHECK_SCRIPT.search(one.get_text()) for one in page("script"))
    marks = page.select_one(MARKS) is not None and TITLES.search(title) is not None
    captcha = page.select_one(CAPTCHAS) is not None and len(page("a", href=True)) <= FEW_LINKS
    for one in page(["script", "style", "noscript", "template"]):
        one.extract()
    return (checks or marks or captcha) and len(page.get_text(" ", strip=True)) <= FEW_WORDS


def refuse_challenge(host: str, body: bytes, content_type: str) -> None:
    """Return when a page is none; raises BotCheck."""
    if len(body) > PAGE_BYTES or "json" in content_type or not HINTS.search(body) or b"<" not in body[:1000]:
        return
    try:
        found = PARSER.run(is_challenge, body)
    except PageTooHard:
        return  # whoever wanted the page will find the same
    if found:
        raise BotCheck(
            f"{host} wants to see that a person asks (a bot check), and the house does not get around such checks. "
            "Open the site in your browser; where it allows this, its cookie can be given to the house."
        )


def refuse_challenge_in(host: str, exc: OutsideBadStatus) -> None:
    """Return when the body of a bad status is no bot check; raises BotCheck."""
    if exc.facts.get("status") in STATUSES:
        refuse_challenge(host, exc.body, "")


def refuse_challenge_of(host: str, reply: OutsideReply) -> None:
    """Return when an answer is no bot check; raises BotCheck."""
    refuse_challenge(host, reply.body, reply.headers.get("content-type", ""))
