"""Long commands: each step logged, one command at a time, what to expect, how it ends badly."""

import subprocess
import sys
from pathlib import Path

import pytest

from deployer import paths, process, steps
from deployer.errors import DeployerError
from deployer.steps import Report, Step


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State and cache folders of the test's own."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    monkeypatch.setattr(steps, "STATE", tmp_path / "state")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "state"


def _saying(*words: str) -> Step:
    return _running(words[0], "echo", *words)


def _running(name: str, *command: str) -> Step:
    def act(report: Report) -> None:
        process.run(command)

    return Step(name, name.title(), 1, act)


def test_steps_run_in_their_order_and_each_has_its_log(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps.run("up", [_saying("first", "one"), _saying("second", "two")])
    said = capsys.readouterr().err
    assert said.index("✓ First") < said.index("✓ Second")
    log = (own_state / "logs" / "up-second.log").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in log] == ["$ echo second two", "second two"]


def test_what_happens_is_said_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def act(report: Report) -> None:
        report("building kubelet")

    steps.run("up", [Step("images", "Images", 60, act)])
    assert "Images  0 s  building kubelet\n" in capsys.readouterr().err


def test_a_failed_step_names_its_command_and_its_log_and_nothing_comes_after(own_state: Path) -> None:
    failing = _running("bad", "sh", "-c", "echo no space; exit 4")
    with pytest.raises(DeployerError) as failed:
        steps.run("up", [failing, _saying("after")])
    assert str(failed.value).splitlines() == [
        "no space",
        "The command failed with code 4: sh -c 'echo no space; exit 4'",
        f"The step “Bad” stopped there; its log is {own_state}/logs/up-bad.log. The same command goes on from here.",
    ]
    assert not (own_state / "logs" / "up-after.log").exists()


def test_what_the_user_can_mend_stays_one_sentence() -> None:
    def act(report: Report) -> None:
        raise DeployerError("The port is taken: give another.")

    with pytest.raises(DeployerError, match=r"^The port is taken: give another\.$"):
        steps.run("up", [Step("bad", "Bad", 1, act)])


def test_a_dry_run_prints_the_commands_under_the_steps_and_keeps_nothing(
    own_state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with process.dry_run():
        steps.run("up", [_saying("first", "one"), _saying("second", "two")])
    assert capsys.readouterr().out == "# First\necho first one\n# Second\necho second two\n"
    assert not own_state.exists()


@pytest.mark.parametrize(("quick", "remembered"), [(-1, True), (60, False)])
def test_what_took_long_is_what_to_expect_the_next_time(
    quick: int, remembered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "QUICK_SECONDS", quick)
    steps.run("up", [_saying("first")])
    assert (paths.cache() / "step-seconds.json").exists() == remembered
    assert ("up-first" in steps._expected()) == remembered


@pytest.mark.parametrize("broken", [".", "logs", "steps.lock"])
def test_a_broken_state_folder_is_one_sentence(own_state: Path, broken: str) -> None:
    wrong = own_state / broken
    wrong.parent.mkdir(exist_ok=True)
    if broken == "steps.lock":
        wrong.mkdir()
    else:
        wrong.write_text("not a folder")
    with pytest.raises(DeployerError, match=r"cannot be used .*: remove it and run the command again"):
        steps.run("up", [_saying("first")])


def test_a_file_that_cannot_be_written_is_one_sentence(own_state: Path) -> None:
    def act(report: Report) -> None:
        (own_state / "clusters" / "kubeconfig").write_text("")

    with pytest.raises(DeployerError, match=r"kubeconfig: No such file or directory\. Mend or remove that, then run"):
        steps.run("up", [Step("s", "S", 1, act)])


@pytest.mark.parametrize("content", ["{half", "[1]", ""])
def test_a_broken_memory_of_durations_is_no_hindrance(content: str) -> None:
    file = paths.cache() / "step-seconds.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    steps.run("up", [_saying("first")])


def test_a_second_command_waits_for_the_first(own_state: Path, tmp_path: Path) -> None:
    own_state.mkdir()
    holder = f"""
import fcntl, sys
lock = open({str(own_state / "steps.lock")!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
open({str(tmp_path / "ended")!r}, "w").close()
"""
    ended: list[bool] = []
    with subprocess.Popen(
        [sys.executable, "-c", holder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=process.die_with_parent,
    ) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == b"held\n"
        closer = subprocess.Popen(["sleep", "0.5"], stdout=first.stdin)
        first.stdin.close()
        steps.run("up", [Step("s", "S", 1, lambda report: ended.append((tmp_path / "ended").exists()))])
        closer.wait()
    assert ended == [True]
