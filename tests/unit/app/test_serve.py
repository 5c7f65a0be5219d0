"""`python -m app serve` as a process."""

import json
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

from deployer.process import die_with_parent
from tests.unit.app.conftest import SONGS


@contextmanager
def served(url: str, *options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The process, killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", *options],
        env={**os.environ, "DATABASE_URL": url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
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


def test_the_index_is_in_memory_before_anybody_asks_and_the_log_is_json(published_url: str) -> None:
    with served(published_url, "--port", "0") as process:
        address(process)
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        assert f"{len(SONGS)} songs in memory" in line["message"]
        assert line["logger"] == "app.finding"


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
