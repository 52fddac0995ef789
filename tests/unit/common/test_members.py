from __future__ import annotations

import pytest
from itsdangerous import URLSafeTimedSerializer

from kinodom_common.members import SALT, BadToken, MemberTokens

KEY = "an invented key"


def test_a_token_says_who_it_was_made_for() -> None:
    token = MemberTokens(KEY).sign("m1", "Аня")

    member = MemberTokens(KEY).read(token)

    assert (member.member_id, member.name) == ("m1", "Аня")
    assert len(token) < 600


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        MemberTokens("another key").sign("m1", "Ann"),
        MemberTokens(KEY).sign("m1", "Ann")[:-1],
        MemberTokens(KEY).sign("", "Ann"),
        MemberTokens(KEY).sign("m" * 65, "Ann"),
        str(URLSafeTimedSerializer(KEY, salt="another salt").dumps({"m": "m1", "n": "Ann"})),
        str(URLSafeTimedSerializer(KEY, salt=SALT).dumps({"m": 1, "n": "Ann"})),
        str(URLSafeTimedSerializer(KEY, salt=SALT).dumps(["m1", "Ann"])),
    ],
    ids=[
        "empty",
        "short",
        "not ours",
        "other key",
        "cut",
        "no id",
        "long id",
        "other salt",
        "odd id",
        "list",
    ],  # the tokens hold the time, and workers must agree on the names of tests
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        MemberTokens(KEY).read(token)
