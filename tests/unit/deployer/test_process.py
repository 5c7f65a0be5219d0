"""The gateway to other programs: what it says, what a dry run leaves undone, what dies with us."""

import fcntl
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from deployer import process
from deployer.errors import CommandError


def test_a_command_gives_its_output_and_every_line_as_it_comes() -> None:
    lines: list[str] = []
    assert process.run(["sh", "-c", "echo one; echo two >&2"], lines=lines.append) == "one\ntwo\n"
    assert lines == ["one", "two"]


def test_a_command_gets_its_input_its_folder_and_its_environment(tmp_path: Path) -> None:
    said = process.run(["sh", "-c", "cat; pwd; echo $WORD"], stdin="in\n", folder=tmp_path, environment={"WORD": "w"})
    assert said == f"in\n{tmp_path}\nw\n"


def test_a_failed_command_carries_its_code_and_the_end_of_its_output() -> None:
    with pytest.raises(
        CommandError, match=r"^line 19\n(.*\n)*line 33\nThe command failed with code 3: sh -c"
    ) as failed:
        process.run(["sh", "-c", "for i in $(seq 33); do echo line $i; done; exit 3"])
    assert failed.value.code == 3


def test_a_failed_command_can_be_pasted_with_what_it_needs_around_it(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as failed:
        process.run(["sh", "-c", "pwd; echo $WORD; exit 3"], folder=tmp_path, environment={"WORD": "two words"})
    pasted = subprocess.run(["bash", "-c", failed.value.command], cwd="/", capture_output=True, text=True, check=False)
    assert (pasted.returncode, pasted.stdout) == (3, f"{tmp_path}\ntwo words\n")


@pytest.mark.parametrize("ask", [process.run, process.read])
def test_a_program_that_is_not_there_is_a_failed_command(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(CommandError, match="No such file or directory: no-such-program"):
        ask(["no-such-program"])


def test_an_answer_is_standard_output_alone() -> None:
    assert process.read(["sh", "-c", "echo answer; echo warning >&2"]) == "answer\n"


def test_a_question_that_is_never_answered_fails() -> None:
    with pytest.raises(CommandError, match="No answer in 0 s"):
        process.read(["sleep", "60"], seconds=0.1)


def test_a_dry_run_prints_what_it_would_change_ready_to_paste(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with process.dry_run():
        said = process.run(["touch", "a file"], folder=tmp_path, environment={"WORD": "two words"})
        process.run(["tee", "b"], folder=tmp_path, stdin="text\n")
        process.launch(["sleep", "60"], tmp_path / "log")
    assert said == ""
    assert not list(tmp_path.iterdir())
    printed = capsys.readouterr().out
    assert "sleep 60 >>" in printed
    pasted = printed.replace(f"sleep 60 >>{tmp_path}/log 2>&1 &\n", "")
    subprocess.run(["bash", "-ec", pasted], check=True, capture_output=True)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a file": "", "b": "text\n"}


def test_a_dry_run_asks_and_takes_no_answer_for_nothing() -> None:
    with process.dry_run():
        assert process.read(["echo", "here"]) == "here\n"
        assert process.read(["no-such-program"]) == ""
    with pytest.raises(CommandError):
        process.read(["no-such-program"])


def test_a_killed_run_takes_its_commands_along(tmp_path: Path) -> None:
    with _python(f"process.run(['sh', '-c', 'echo $$ >{tmp_path}/pid; exec sleep 60'])") as parent:
        child = psutil.Process(int(_eventually(tmp_path / "pid")))
        parent.kill()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


def test_a_lock_is_kept_until_the_last_command_that_got_it_has_ended(tmp_path: Path) -> None:
    # A grandchild is not told of the kill; it is what is left of a kind or a docker that was cut short.
    script = f"(trap '' HUP; echo started >{tmp_path}/started; read line <{tmp_path}/gate) & wait"
    subprocess.run(["mkfifo", tmp_path / "gate"], check=True)
    code = f"""
        import fcntl
        lock = open({str(tmp_path / "lock")!r}, "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        with process.handing_on(lock.fileno()):
            process.run(["sh", "-c", {script!r}])
    """
    with _python(code) as parent:
        _eventually(tmp_path / "started")
        parent.kill()
    with (tmp_path / "lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (tmp_path / "gate").write_text("go on\n")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _python(code: str) -> "subprocess.Popen[bytes]":
    text = "from deployer import process\n" + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", text], preexec_fn=process.die_with_parent)


def _eventually(file: Path) -> str:
    """The file's text, once there is some."""
    deadline = time.monotonic() + 20
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, f"{file} was not written"
        time.sleep(0.05)
    return file.read_text()
