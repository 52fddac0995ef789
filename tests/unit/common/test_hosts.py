from __future__ import annotations

import pytest

from kinodom_common.hosts import HostGuard, HostRule


@pytest.fixture
def home() -> HostRule:
    return HostRule()


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8080", "LOCALHOST", "127.0.0.1", "127.8.8.8:80", "[::1]", "[::1]:8080",
        "10.0.0.1", "172.16.0.1", "172.31.255.254:8080", "192.168.1.20", "169.254.3.4", "[fd12:3456::1]",
        "[fe80::1]:443",
        "[::ffff:192.168.1.1]", "cinema", "cinema:8080", "my_box", "kinodom-sync:8000", "tv.local", "TV.LOCAL:80",
        "tv.living-room.local", "tv.local.", "localhost.",
    ],
)  # fmt: skip
def test_names_and_addresses_of_a_home_network_are_ours(home: HostRule, host: str) -> None:
    assert home.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "rebind.network", "192.168.1.20.nip.io", "localhost.evil.example", "evil.local.example",
        "xlocal.", "8.8.8.8", "172.32.0.1", "172.15.255.255", "192.169.0.1", "11.0.0.1", "0.0.0.0", "0.0.0.0:8080",
        "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "[2001:4860:4860::8888]", "[::]",
        "[::ffff:8.8.8.8]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]",
    ],
)  # fmt: skip
def test_names_and_addresses_that_others_can_hold_are_refused(home: HostRule, host: str) -> None:
    assert not home.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "", " ", ".", "..", "a..b.local", ".local", "-a.local", "a-.local", "user@192.168.1.1", "user:pw@localhost",
        "evil.example@localhost", "localhost@evil.example", "localhost/", "localhost#x", "localhost?x", "local host",
        "localhost,evil.example", "localhost\t", "localhost\n", "localhost:", "localhost:0", "localhost:65536",
        "localhost:80:80", "localhost:+80", "localhost:٨٠", "::1", "fe80::1", "[fe80::1%25eth0]", "[::1", "::1]", "[]",
        "[localhost]", "[127.0.0.1]", "[::1]x", "[::1].local", "2130706433", "127.1", "0x7f.1", "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.", "010.0.0.1", "1.2.3", "cinema.0x1", "cinema.1", "фильм", "ki\u0301no", "localhoſt", "\u212aino",
        "a" * 64, "a." * 130 + "local",
        "cinema.", "com.",
    ],
)  # fmt: skip
def test_what_is_no_plain_host_is_refused(home: HostRule, host: str) -> None:
    assert not home.allows(host)


def test_listed_names_are_added_to_those_of_home() -> None:
    rule = HostRule(["home", "Cinema.Example.org", "*.tail.ts.net", "203.0.113.7", "100.64.0.0/10", "2001:db8::/32"])

    ours = ["cinema.example.org:8443", "tv.tail.ts.net", "203.0.113.7", "100.100.1.2", "[2001:db8::5]", "192.168.0.1"]
    assert all(rule.allows(host) for host in ours)
    theirs = ["example.org", "x.cinema.example.org", "tail.ts.net", "eviltail.ts.net", "203.0.113.8", "[2001:db9::5]"]
    assert not any(rule.allows(host) for host in theirs)


def test_a_list_without_home_leaves_only_what_it_names() -> None:
    rule = HostRule(["cinema.example.org"])

    assert rule.allows("cinema.example.org")
    assert not any(rule.allows(host) for host in ("localhost", "192.168.1.1", "cinema", "tv.local"))


@pytest.mark.parametrize("pattern", ["", "*", "*.*.local", "http://cinema", "a b", "10.0.0.0/33", "cinema:80", "1.2.3"])
def test_a_pattern_nobody_can_mean_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="neither a host name"):
        HostRule([pattern])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "192.168.1.20:8080"),
        ("http://192.168.1.20:8080", "192.168.1.20:8080"),
        ("http://tv.local", "tv.local"),
        ("http://tv.local", "tv.local:80"),
        ("http://tv.local:80", "tv.local"),
        ("https://tv.local", "tv.local"),
        ("https://tv.local", "tv.local:443"),
        ("http://TV.local", "tv.LOCAL"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_page_of_the_house_may_call_it(home: HostRule, origin: str | None, host: str) -> None:
    assert home.same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "tv.local"),
        ("", "tv.local"),
        ("http://evil.example", "tv.local"),
        ("http://evil.example", "evil.example"),  # rebinding: both agree, and neither is ours
        ("http://192.168.1.20:9000", "192.168.1.20:8080"),
        ("http://192.168.1.20", "192.168.1.20:8080"),
        ("https://tv.local", "tv.local:80"),
        ("http://other.local", "tv.local"),
        ("http://tv.local/", "tv.local"),
        ("http://tv.local@evil.example", "tv.local"),
        ("http://user@tv.local", "tv.local"),
        ("file://", "tv.local"),
        ("chrome-extension://tv.local", "tv.local"),
        ("http://[::1", "[::1]"),
        ("http://tv.local http://evil.example", "tv.local"),
    ],
)
def test_a_page_from_elsewhere_may_not(home: HostRule, origin: str, host: str) -> None:
    assert not home.same_origin(origin, host)


def test_the_guard_answers_421_to_a_foreign_name_and_passes_our_own_on() -> None:
    said: list[str] = []
    guard = HostGuard(lambda environ, start: [b"inside"], HostRule())

    refused = b"".join(guard({"HTTP_HOST": "evil.example"}, lambda status, headers: said.append(status)))  # type: ignore[arg-type,func-returns-value,return-value]
    nameless = b"".join(guard({}, lambda status, headers: said.append(status)))  # type: ignore[arg-type,func-returns-value,return-value]
    passed = b"".join(guard({"HTTP_HOST": "tv.local"}, lambda status, headers: said.append(status)))  # type: ignore[arg-type,func-returns-value,return-value]

    assert b"host_refused" in refused
    assert b"host_refused" in nameless
    assert passed == b"inside"
    assert said == ["421 Misdirected Request"] * 2
