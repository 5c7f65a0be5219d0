"""The index versions in an embedded database, asked of the part that makes them."""

import json
from pathlib import Path
from typing import Any

from deployer import process
from deployer.embedded_postgres import postgres
from deployer.errors import DeployerError
from deployer.paths import STATE

_LAST = STATE / "demo"
"""Names the folder of this checkout's last demo, so that its index versions are found without being told."""


def remember(home: Path) -> None:
    STATE.mkdir(exist_ok=True)
    _LAST.write_text(f"{home}\n")


def call(data_dir: Path | None, *arguments: str) -> Any:
    """`python -m spark_jobs index ARGUMENTS` on a demo's database; its answer, None if it gives none.

    data_dir: None for the last demo's. Raises DeployerError where there is no database.
    """
    home = data_dir or (Path(_LAST.read_text().strip()) if _LAST.exists() else None)
    if home is None or not (home / "postgres").is_dir():
        raise DeployerError(
            f"There is no demo's database{f' in {home}' if home else ''}: "
            "keep one with `./run_kube demo --data-dir FOLDER`."
        )
    with postgres(home, guest=True) as server:
        output = process.part("spark_jobs", "index", *arguments, environment={"DATABASE_URL": server.url})
    return json.loads(output) if output else None


def table(versions: list[dict[str, Any]]) -> str:
    """The versions as lines of text."""
    if not versions:
        return "No index was published yet."
    lines = [f"  {'index':>5}  {'state':<8}  {'songs':>7}  {'sets':>7}  {'digest':<16}  {'created':<19}  source"]
    for version in versions:
        lines.append(
            f"{'*' if version['current'] else ' '} {version['index_id']:>5}  {version['state']:<8}"
            f"  {version['songs'] or 0:>7,}  {version['sets'] or 0:>7,}  {(version['digest'] or '-')[:16]:<16}"
            f"  {version['created_at'][:19]:<19}  {version['source']}"
        )
        if version["failure"]:
            lines.append(f"         {version['failure']}")
    return "\n".join(lines)
