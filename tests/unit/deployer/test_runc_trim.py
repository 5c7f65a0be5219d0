"""runc is asked for no more than the machine can grant."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployer import runc_trim
from deployer.runc_trim import CAPABILITIES, bounding_set, is_short, request, trim

EVERYTHING = {f"CAP_{name}" for name in CAPABILITIES}
LIMITS = {"RLIMIT_NOFILE": 1000, "RLIMIT_NPROC": -1}


def _process() -> dict[str, Any]:
    return {
        "capabilities": {kind: sorted(EVERYTHING) for kind in ("bounding", "effective", "permitted")},
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "hard": 5000, "soft": 5000},
            {"type": "RLIMIT_NPROC", "hard": 7, "soft": 7},
        ],
        "oomScoreAdj": -500,
    }


def test_what_is_lacking_is_taken_out_and_the_rest_stays() -> None:
    process = _process()
    granted = EVERYTHING - {"CAP_SYS_RESOURCE", "CAP_SYS_TIME"}
    trim(process, granted, LIMITS)
    assert {frozenset(names) for names in process["capabilities"].values()} == {frozenset(granted)}
    assert process["rlimits"] == [
        {"type": "RLIMIT_NOFILE", "hard": 1000, "soft": 1000},
        {"type": "RLIMIT_NPROC", "hard": 7, "soft": 7},
    ]
    assert process["oomScoreAdj"] == 0


def test_limits_stay_where_they_may_be_raised() -> None:
    process = _process()
    trim(process, EVERYTHING - {"CAP_SYS_TIME"}, LIMITS)
    assert process["rlimits"] == _process()["rlimits"]
    assert process["oomScoreAdj"] == -500


def test_a_request_that_names_nothing_stays_possible() -> None:
    process: dict[str, Any] = {"capabilities": None, "args": ["true"]}
    trim(process, set(), LIMITS)
    assert process == {"capabilities": None, "args": ["true"], "oomScoreAdj": 0}


def test_the_bounding_set_is_read_as_the_kernel_writes_it() -> None:
    assert bounding_set("Name:\tsh\nCapBnd:\t0000000001000001\nCapAmb:\t0\n") == {"CAP_CHOWN", "CAP_SYS_RESOURCE"}
    assert bounding_set("CapBnd:\t000001ffffffffff\n") == EVERYTHING


def test_capabilities_that_the_kernel_does_not_know_are_not_lacking() -> None:
    assert not is_short(EVERYTHING, 40)
    assert not is_short({f"CAP_{name}" for name in CAPABILITIES[:38]}, 37)
    assert is_short(EVERYTHING - {"CAP_SYS_RESOURCE"}, 40)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--root", "/r", "create", "--bundle", "/b", "id"], ("/b/config.json", True)),
        (["create", "-b=/b", "id"], ("/b/config.json", True)),
        (["run", "id"], ("/here/config.json", True)),
        (["exec", "--process", "/p.json", "id"], ("/p.json", False)),
        (["exec", "id", "sh"], None),
        (["state", "id"], None),
    ],
)
def test_the_request_is_found_in_runcs_arguments(arguments: list[str], found: tuple[str, bool] | None) -> None:
    expected = (Path(found[0]), found[1]) if found else None
    assert request(arguments, Path("/here")) == expected


def test_it_trims_the_bundle_and_becomes_runc(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps({"process": _process(), "hostname": "kept"}))
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"; exit 5\n')
    runc.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-IS", runc_trim.__file__, "create", "--bundle", str(bundle), "id"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, f"create --bundle {bundle} id\n"), done.stderr
    written = json.loads((bundle / "config.json").read_text())
    granted = bounding_set(Path("/proc/self/status").read_text())
    assert written["hostname"] == "kept"
    assert set(written["process"]["capabilities"]["bounding"]) == granted
