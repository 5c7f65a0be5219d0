"""What the driver tells the user when it cannot go on."""

import shlex
from collections.abc import Sequence


class DeployerError(Exception):
    """One clear sentence: what is wrong and what to do. Shown without a traceback; exit code 2."""


class CommandError(DeployerError):
    """A command of another program failed: carries it paste-ready, with its code and the end of its output."""

    def __init__(self, command: Sequence[str], code: int, output: str) -> None:
        self.command = shlex.join(command)
        self.code = code
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-15:])
        super().__init__(f"{tail}\nThe command failed with code {code}: {self.command}".strip())


class AlreadySaid(DeployerError):
    """A part of the project ended with its own sentence on standard error; only its exit code is passed on."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__("")
