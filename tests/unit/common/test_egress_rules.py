from __future__ import annotations

import socket

import pytest

from kinodom_common.egress import (
    AddressRefused,
    EgressRules,
    OutsideClient,
    OutsideUnreachable,
    SchemeRefused,
    headers_for,
    parse_allow_lan,
    shown,
    target_of,
)
from tests.support.wires import http, says, wire_server

PUBLIC = "93.184.216.34"


class NameServer:
    """Answers look-ups from a list, one entry per look-up, the last one for ever; numeric hosts as the system does."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_kwargs: object) -> list[tuple]:
        self.asked.append(host)
        answers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (
                socket.AF_INET6 if ":" in text else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (text, port, 0, 0) if ":" in text else (text, port),
            )
            for text in answers
        ]


# Hosts that the system's resolver turns into an address without asking anyone.
HOSTILE_HOSTS = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "0", "0.0.0.0", "0.0.0.1", "0x7f.1",
    "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "2130706433", "00000000177.1", "0X7F.0x0.0x0.0x1",
    "10.0.0.1", "10.1", "167772161", "0xa000001", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1",
    "3232235521", "0300.0250.0.1", "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]",
    "[0:0:0:0:0:ffff:c0a8:0001]", "[::127.0.0.1]", "[::7f00:1]", "[::192.168.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]", "[64:ff9b:1::a00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:c0a8:1::1]",
    "[2001::1]", "[2001:0:53aa:64c:0:0:80ff:fffe]", "[2001:db8::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]",
    "[fd00::1]", "[fd00:ec2::254]", "[ff02::1]", "[ff0e::1]", "[100::1]", "[3fff::1]", "[5f00::1]", "[4000::1]",
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "１６９.254.169.254", "0x7F.1", "127.0.0.1:8080", "[::1]:8080",
    "10.0.0.1:443", "127.0.0.1#@example.com", "127.0.0.1?@example.com", "[::ffff:169.254.169.254]",
]  # fmt: skip

# Addresses that are refused before any look-up.
MALFORMED = [
    "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/",
    "http://example.com\\@127.0.0.1/", "http://example.com\\.evil/",
    "http://127.0.0.1%2f@example.com/", "http://%31%32%37.0.0.1/", "http://127.0.0.1%00.example.com/",
    "http://[fe80::1%25eth0]/", "http://[::1/", "http://[::zz]/", "http:///path", "http://", "http:/one", "http://:80/",
    "http://example.com:99999/", "http://example.com:eighty/", "http://exa mple.com/",
    "http://example.com/a\r\nHost: x",     "http://example.com/\x00",
    "http://exam\tple.com/", "http://.example.com/", "http://a..b.example/", "http://[1.2.3.4]/",
    "http://" + "a" * 64 + ".example/", "http://exa<mple/", "http://-/", "http://example.com%0d%0a/",
]  # fmt: skip

OTHER_SCHEMES = [
    "file:///etc/passwd", "FILE:/etc/passwd", "ftp://example.com/", "gopher://127.0.0.1:6379/_x", "data:text/plain,x",
    "concat:/etc/passwd|x", "javascript:alert(1)", "//example.com/", "example.com/film.mp4", "", "rtmp://example.com/a",
    "unix:///run/x.sock", "dict://127.0.0.1/", "crypto+file:/etc/passwd", "httpx://example.com/", "view-source:http://a/",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_a_host_inside_is_refused_however_it_is_spelt(host: str) -> None:
    client = OutsideClient(EgressRules(), user_agent="test")

    with pytest.raises(AddressRefused):
        client.get(f"http://{host}/")


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_address_is_refused_without_a_look_up(url: str) -> None:
    names = NameServer((PUBLIC,))
    client = OutsideClient(EgressRules(resolve=names), user_agent="test")

    with pytest.raises(AddressRefused):
        client.get(url)

    assert names.asked == []


@pytest.mark.parametrize("url", OTHER_SCHEMES)
def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(SchemeRefused):
        target_of(url)


@pytest.mark.parametrize("port", [22, 25, 53, 110, 445, 1, 0, 1023])
def test_ports_of_other_services_are_refused(port: int) -> None:
    rules = EgressRules(resolve=NameServer((PUBLIC,)))

    with pytest.raises(AddressRefused):
        rules.addresses("example.com", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
def test_no_packet_reaches_a_server_at_home(host: str) -> None:
    with wire_server(says(http(b"secret"))) as server:
        client = OutsideClient(EgressRules(), user_agent="test")

        with pytest.raises(AddressRefused):
            client.get(f"http://{host}:{server.port}/")

        assert server.requests == []


@pytest.mark.parametrize("answers", [(PUBLIC, "127.0.0.1"), ("127.0.0.1", PUBLIC), (PUBLIC, "::1"), (PUBLIC, "bad")])
def test_one_bad_answer_among_good_ones_refuses_the_name(answers: tuple[str, ...]) -> None:
    rules = EgressRules(resolve=NameServer(answers))

    with pytest.raises(AddressRefused):
        rules.addresses("mixed.example", 80)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::5"])
def test_public_addresses_pass(address: str) -> None:
    rules = EgressRules(resolve=NameServer((address,)))

    found = rules.addresses("example.com", 443)

    assert [answer[4][0] for answer in found] == [address]


def test_a_name_is_looked_up_once_so_that_it_cannot_change_in_between() -> None:
    names = NameServer(("127.0.0.1",), (PUBLIC,))
    with wire_server(says(http(b"hello"))) as server:
        rules = EgressRules(allow_lan=frozenset({("rebind.example", server.port)}), resolve=names)

        OutsideClient(rules, user_agent="test").get(f"http://rebind.example:{server.port}/")

    assert names.asked == ["rebind.example"]


def test_a_name_that_turns_inward_between_two_calls_is_refused_at_the_second() -> None:
    rules = EgressRules(resolve=NameServer((PUBLIC,), ("192.168.0.1",)))
    rules.addresses("rebind.example", 80)

    with pytest.raises(AddressRefused):
        rules.addresses("rebind.example", 80)


def test_an_exception_of_the_operator_holds_for_that_name_and_port_only() -> None:
    with wire_server(says(http(b"film"))) as server:
        rules = EgressRules(allow_lan=parse_allow_lan(f"127.0.0.1:{server.port}"))
        client = OutsideClient(rules, user_agent="test")

        reply = client.get(f"{server.address}/a")

        assert reply.body == b"film"
        with pytest.raises(AddressRefused):
            client.get(f"http://127.0.0.1:{server.port + 1}/")
        with pytest.raises(AddressRefused):
            client.get(f"http://localhost:{server.port}/")
        with pytest.raises(AddressRefused):
            client.get(f"http://127.1:{server.port}/")


def test_a_name_nobody_knows_could_not_be_asked() -> None:
    def resolve(*_args: object, **_kwargs: object) -> list[tuple]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(OutsideUnreachable):
        EgressRules(resolve=resolve).addresses("nowhere.example", 80)


def test_the_list_of_exceptions_is_read_from_a_line() -> None:
    pairs = parse_allow_lan(" demo:8000, NAS.local:80 ,,[fd00::5]:8080 ")

    assert pairs == {("demo", 8000), ("nas.local", 80), ("fd00::5", 8080)}


@pytest.mark.parametrize("text", ["demo", "demo:", ":80", "demo:http", "demo:0", "demo:70000", "demo:80;x:1"])
def test_a_mistake_in_the_list_of_exceptions_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        parse_allow_lan(text)


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    text = shown("https://user:pass@example.com/film/1?token=abc#frag")

    assert text == "https://example.com/film/1"


def test_spaces_and_letters_of_other_scripts_are_escaped_in_the_path() -> None:
    target = target_of("https://кино.example/Фильм 1.mp4?a=b c&d=%20")

    assert target.host == "xn--h1adke.example"
    assert target.path == "/%D0%A4%D0%B8%D0%BB%D1%8C%D0%BC%201.mp4?a=b%20c&d=%20"


def test_credentials_stay_with_the_host_they_are_meant_for() -> None:
    headers = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "k", "Referer": "https://site.example/"}
    meant_for = target_of("https://api.example/")

    kept = headers_for(headers, meant_for=meant_for, target=target_of("https://api.example/other"))
    carried = headers_for(headers, meant_for=meant_for, target=target_of("https://cdn.example/"))
    downgraded = headers_for(headers, meant_for=meant_for, target=target_of("http://api.example/"))

    assert kept == headers
    assert carried == downgraded == {"Referer": "https://site.example/"}
