"""`python -m app serve` as a process."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.unit.app.conftest import SONGS


@contextmanager
def served(url: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The process, killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", *options],
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
    assert found, line
    return found[1]


def test_it_says_where_it_listens_answers_and_ends_on_term(published_url: str) -> None:
    with served(published_url, "--port", "0") as process:
        with urllib.request.urlopen(address(process) + "/readyz") as answer:
            assert f"{len(SONGS)} songs" in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /songs/\xff HTTP/1.0", b"400"),
        (b"GET /songs?title=%ff HTTP/1.0", b"400"),
        (b"GET /songs?title=\xff HTTP/1.0", b"400"),
        (b"GET /songs?title=" + b"x" * 20_000 + b" HTTP/1.0", b"414"),
        (b"GET /songs?title=" + b"x" * 1_000_000 + b" HTTP/1.0", b"431"),
        (b"GET /songs?page=" + b"9" * 31 + b" HTTP/1.0", b"404"),
        (b"BREW /songs HTTP/1.0", b"405"),
        (b"nonsense", b"400"),
    ],
)
def test_raw_bytes_of_any_kind_get_a_client_error(served_address: str, request_line: bytes, status: bytes) -> None:
    host, port = served_address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).split(b" ")[1] == status


@pytest.fixture(scope="module")
def served_address(published_url: str) -> Iterator[str]:
    with served(published_url, "--port", "0") as process:
        yield address(process)


def test_a_port_in_use_is_one_sentence_and_exit_code_2(published_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with served(published_url, "--port", port) as process:
            out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert err.count("\n") == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in err


@pytest.mark.parametrize("port", ["-1", "65536", "http", "99999999999999999999"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    with served("postgresql://x@127.0.0.1/y", f"--port={port}") as process:
        assert "is not a port" in process.communicate(timeout=30)[1]
    assert process.returncode == 2


def test_a_missing_database_url_is_one_sentence_and_exit_code_2() -> None:
    with served("", "--port", "0") as process:
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert err.startswith("error: DATABASE_URL is not set")
