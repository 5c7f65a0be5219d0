"""What clients send that no browser would, on the socket of a served site: a clean refusal, and nobody else notices."""

import contextlib
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.served import site_address

Address = tuple[str, int]


@pytest.fixture(scope="module")
def served(published_url: str) -> Iterator[str]:
    with site_address(published_url) as address:
        yield address


@pytest.fixture
def site(served: str) -> Iterator[Address]:
    """A site that still serves others when the test is over."""
    yield _socket_address(served)
    assert_served(_socket_address(served))


@pytest.fixture
def hasty_site(published_url: str) -> Iterator[Address]:
    """The same, of a site that waits for a request for one second only."""
    with site_address(published_url, SCALE_SLOW_CLIENT_SECONDS="1") as address:
        yield _socket_address(address)
        assert_served(_socket_address(address))


def _socket_address(address: str) -> Address:
    host, port = address.removeprefix("http://").split(":")
    return host, int(port)


def assert_served(site: Address) -> None:
    with urllib.request.urlopen("http://{}:{}/songs".format(*site)) as page:
        assert "12 songs" in page.read().decode()


def answer_to(site: Address, sent: bytes) -> bytes:
    """All that comes back until the site hangs up."""
    received = b""
    with socket.create_connection(site, timeout=30) as connection, contextlib.suppress(ConnectionError):
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        while piece := connection.recv(65536):
            received += piece
    return received


def status(answer: bytes) -> int:
    """Of the first answer; 0 if it was hung up without one."""
    return int(answer.split(b" ")[1]) if answer else 0


@pytest.mark.parametrize(
    ("request_line", "code"),
    [
        (b"GET /songs/\xff HTTP/1.0", 400),
        (b"GET /songs?title=%ff HTTP/1.0", 400),
        (b"GET /songs?title=\xff HTTP/1.0", 400),
        (b"GET /songs?\xff=1 HTTP/1.0", 400),
        (b"GET /api/v1/songs/%c3%28 HTTP/1.0", 400),
        (b"GET /songs?title=" + b"x" * 20_000 + b" HTTP/1.0", 414),
        (b"GET /songs?title=" + b"x" * 1_000_000 + b" HTTP/1.0", 431),
        (b"GET /songs?page=1000000000 HTTP/1.0", 404),
        (b"GET /songs?page=" + b"9" * 31 + b" HTTP/1.0", 404),
        (b"BREW /songs HTTP/1.0", 405),
        (b"get /songs HTTP/1.0", 400),
        (b"TRACE /songs HTTP/1.0", 405),
        (b"DELETE /api/v1/songs HTTP/1.0", 405),
        (b"CONNECT localhost:80 HTTP/1.0", 404),
        (b"PRI * HTTP/2.0", 404),
        (b"nonsense", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET /songs HTTP/1.0", 200),
        (b"GET http://elsewhere.invalid/songs HTTP/1.0", 200),
    ],
)
def test_any_first_line_gets_an_answer_that_says_what_it_is(site: Address, request_line: bytes, code: int) -> None:
    assert status(answer_to(site, request_line + b"\r\nHost: x\r\n\r\n")) == code


@pytest.mark.parametrize(
    "name",
    [
        *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Host"),
        *("If-Modified-Since", "If-None-Match", "Range", "Referer", "User-Agent", "X-Forwarded-For", "X-Request-ID"),
    ],
)
@pytest.mark.parametrize("value", [b"\xff\xfe", b"\xc3\x28", b"\x01\x02", b"\xf0\x9f\x8e\xb5" * 100])
def test_a_header_that_is_not_text_is_no_fault_of_the_site(site: Address, name: str, value: bytes) -> None:
    for path in (b"/songs", b"/api/v1/songs", b"/static/style.css"):
        request = b"GET " + path + b" HTTP/1.0\r\n" + name.encode() + b": " + value + b"\r\n\r\n"
        assert status(answer_to(site, request)) in (200, 400, 416)


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\n\xff=\xff&\xff",
        b"Content-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 4\r\n\r\n--\xff\xff",
        b"Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\n--",
        b"Content-Type: application/json\r\nContent-Length: 1\r\n\r\n\xff",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"Transfer-Encoding: gzip\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/get_songs_for_instruments", b"/songs", b"/api/v1/songs"])
def test_a_broken_body_is_no_fault_of_the_site(site: Address, path: bytes, body: bytes) -> None:
    answer = answer_to(site, b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + body)
    assert 400 <= status(answer) < 500 or status(answer) == 501


@pytest.mark.parametrize(
    "huge", [b"GET /songs?title=%s HTTP/1.0\r\n\r\n", b"GET /songs HTTP/1.0\r\nCookie: %s\r\n\r\n", b"%s"]
)
def test_ten_megabytes_where_a_line_belongs_are_refused(site: Address, huge: bytes) -> None:
    assert status(answer_to(site, huge % (b"x" * 10_000_000))) in (0, 431)


def test_ten_thousand_headers_are_refused(site: Address) -> None:
    headers = b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(100_000))
    assert status(answer_to(site, b"GET /songs HTTP/1.0\r\n" + headers + b"\r\n")) in (0, 431)


def test_requests_sent_in_one_go_are_answered_in_their_order(site: Address) -> None:
    requests = [
        b"GET /%b HTTP/1.1\r\nHost: x\r\nX-Request-ID: n%d\r\n\r\n" % (path, number)
        for number, path in enumerate([b"songs", b"nothing", b"healthz", b"api/v1/songs?limit=0"] * 5)
    ]
    answer = answer_to(site, b"".join(requests) + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"(?i)X-Request-ID: n(\d+)", answer) == [b"%d" % number for number in range(20)]
    codes = re.findall(rb"HTTP/1.1 (\d+) ", answer)
    assert codes == [b"200", b"404", b"200", b"400"] * 5 + [b"200"]


def test_a_client_that_has_sent_all_and_says_so_does_no_harm(site: Address) -> None:
    with socket.create_connection(site, timeout=30) as connection:
        connection.sendall(b"GET /songs HTTP/1.1\r\nHost: x\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_a_client_that_leaves_before_its_answer_does_no_harm(site: Address) -> None:
    for _ in range(20):
        with socket.create_connection(site, timeout=30) as connection:
            connection.sendall(b"GET /songs HTTP/1.1\r\nHost: x\r\n\r\n" * 5)


@pytest.mark.parametrize(
    "begun", [b"", b"GET /songs HTTP/1.1\r\nHost: x\r\n", b"POST /songs HTTP/1.1\r\nContent-Length: 99\r\n\r\nx"]
)
def test_a_client_that_does_not_finish_its_request_is_hung_up_on(hasty_site: Address, begun: bytes) -> None:
    assert answer_to(hasty_site, begun) == b""


@pytest.mark.parametrize(
    "begun", [b"GET /songs HTTP/1.1\r\nX: ", b"POST /songs HTTP/1.1\r\nContent-Length: 999\r\n\r\n"]
)
def test_a_request_that_drips_in_is_hung_up_on_and_others_are_served_meanwhile(
    hasty_site: Address, begun: bytes
) -> None:
    never_hung_up_on = []

    def drip() -> None:
        with socket.create_connection(hasty_site, timeout=30) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(begun)
            for _ in range(300):
                connection.sendall(b"x")
                time.sleep(0.1)
            never_hung_up_on.append(connection.getsockname())

    clients = [threading.Thread(target=drip) for _ in range(20)]
    for client in clients:
        client.start()
    assert_served(hasty_site)
    for client in clients:
        client.join()
    assert never_hung_up_on == []


def test_three_hundred_connections_that_say_nothing_keep_nobody_out(site: Address) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(300):
            held.enter_context(socket.create_connection(site, timeout=30))
        for _ in range(5):
            assert_served(site)
