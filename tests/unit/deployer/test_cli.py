"""What the command line says, before any command does its work."""

import sys
from collections.abc import Callable

import pytest

from deployer import cli
from deployer.errors import AlreadySaid, CommandError, DeployerError


def _run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["run_kube", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_help_shows_the_commands_in_groups(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--help", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert said.index("Try it on this machine") < said.index("demo") < said.index("Develop it")


@pytest.mark.parametrize(("typed", "meant"), [("dmeo", "demo"), ("tset", "test"), ("idnex", "index")])
def test_a_mistyped_command_gets_a_suggestion(
    typed: str, meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(typed, monkeypatch=monkeypatch) == 2
    assert f"Did you mean '{meant}'" in capsys.readouterr().err


def test_an_error_is_one_sentence_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "cli", _raising(DeployerError("The port is taken: give another.")))
    assert _run(monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "error: The port is taken: give another.\n"


@pytest.mark.parametrize("arguments", [["--debug", "demo"], ["demo", "--debug"]])
def test_with_debug_an_error_shows_where_it_came_from(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALE_DEBUG", "")
    monkeypatch.setattr(sys, "argv", ["run_kube", *arguments])
    monkeypatch.setattr(cli, "cli", _raising(DeployerError("The port is taken: give another.")))
    with pytest.raises(DeployerError):
        cli.main()


def test_a_defect_is_one_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "cli", _raising(ValueError("no such thing.")))
    assert _run(monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err == "error: ValueError: no such thing. That is a defect; --debug shows where.\n"


def test_what_a_part_has_said_is_not_said_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "cli", _raising(AlreadySaid(3)))
    assert _run(monkeypatch=monkeypatch) == 3
    assert capsys.readouterr().err == ""


def test_a_failed_command_can_be_pasted() -> None:
    error = CommandError(["apt-get", "install", "a package"], 100, "one\ntwo\n")
    assert str(error) == "one\ntwo\nThe command failed with code 100: apt-get install 'a package'"


def _raising(error: Exception) -> Callable[..., None]:
    def cli(*arguments: object, **options: object) -> None:
        raise error

    return cli
