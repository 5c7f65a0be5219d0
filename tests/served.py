"""The site as a process of its own, for those who only need its address."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deployer.process import die_with_parent


@contextmanager
def site_address(database_url: str, **environment: str) -> Iterator[str]:
    """The address of a site that serves this database on a free port, http://127.0.0.1:PORT."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0"],
        env={**os.environ, "DATABASE_URL": database_url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=die_with_parent,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
