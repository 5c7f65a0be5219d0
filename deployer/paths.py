"""Where things lie: what belongs to this checkout, and what the user's checkouts share."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".run_kube"
"""State of this checkout alone: logs, what a command left for the next one."""


def logs() -> Path:
    """The folder of this checkout's log files, made if missing."""
    folder = STATE / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cache() -> Path:
    """Downloads, built tools, compiled code: shared by every checkout of the user (XDG)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chaos-at-scale"
