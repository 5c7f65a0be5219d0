"""Requests that take too long to arrive are given up, those that are too large are not read to their end."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.unit.app.test_serve import address, served


@pytest.fixture(scope="module")
def impatient(published_url: str) -> Iterator[tuple[str, int]]:
    """Host and port of a site that gives a request two seconds to arrive."""
    with served(published_url, "--port", "0", SCALE_SLOW_CLIENT_SECONDS="2", SCALE_MAX_UPLOAD_BYTES="5000") as process:
        host, port = address(process).removeprefix("http://").split(":")
        yield host, int(port)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /songs HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"POST /api/v1/similar HTTP/1.1\r\nHost: x\r\nContent-Type: audio/midi\r\nContent-Length: 4000\r\n\r\n",
        b"POST /api/v1/similar HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ],
)
def test_a_request_that_drips_in_without_end_is_given_up(impatient: tuple[str, int], begun: bytes) -> None:
    with socket.create_connection(impatient, timeout=0.1) as connection:
        connection.sendall(begun)
        for _ in range(600):
            try:
                connection.sendall(b"x")
                if connection.recv(100) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("after a minute the site still waits for the rest")


def test_a_client_that_asks_again_and_again_keeps_its_connection(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=10) as connection:
        for _ in range(10):
            connection.sendall(b"HEAD /healthz HT")
            time.sleep(0.2)
            connection.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            time.sleep(0.2)


def posted(site: tuple[str, int], length: int, body: bytes) -> bytes:
    """The answer to a file of this announced length, of which only `body` is sent."""
    with socket.create_connection(site, timeout=10) as connection:
        head = f"POST /api/v1/similar HTTP/1.0\r\nContent-Type: audio/midi\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode() + body)
        answer = b""
        while more := connection.recv(65536):
            answer += more
        return answer


def test_a_file_that_is_somewhat_too_large_is_told_the_limit(impatient: tuple[str, int]) -> None:
    head, _, body = posted(impatient, 30_000, bytes(30_000)).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"413"
    assert "5,000 bytes" in json.loads(body)["detail"]


def test_a_file_that_is_far_too_large_is_refused_before_it_is_sent(impatient: tuple[str, int]) -> None:
    assert posted(impatient, 10**9, b"").split(b" ")[1] == b"413"
