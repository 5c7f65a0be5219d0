"""`python -m tests.bench [NAME ...] [--json]`: run benchmarks, print a table, or one JSON object on the last line."""

import argparse
import datetime
import importlib
import json
import os
import pkgutil
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.row import Row

WIDTH_IN_FILES = 150
PARTS = {"row", "real_songs", "__main__"}
NAMED_ONLY = {"postgres-failover"}
"""They need what not every machine has: a cluster with the product on it."""


def main() -> None:
    modules = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name not in PARTS]
    names = [module.replace("_", "-") for module in modules]
    usual = [name for name in names if name not in NAMED_ONLY]
    parser = argparse.ArgumentParser(prog="./run_kube bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)} (default: {', '.join(usual)})")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(names)}")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    measured: dict[str, list[Row]] = {}
    table = Table(title=f"{datetime.date.today()} · {machine}", title_justify="left")
    for column in ("benchmark", "figure", "measured", "bar", "", "note"):
        table.add_column(column, justify="right" if column in ("measured", "bar") else "left")
    for name in options.names or usual:
        measured[name] = list(importlib.import_module(f"tests.bench.{name.replace('-', '_')}").measure())
        for row in measured[name]:
            bar = "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {_number(row.bar)} {row.unit}"
            met = {None: "", True: "✓", False: "✗"}[row.met]
            table.add_row(name, row.figure, f"{_number(row.value)} {row.unit}", bar, met, row.note)
    terminal = (sys.stderr if options.json else sys.stdout).isatty()
    Console(stderr=options.json, width=None if terminal else WIDTH_IN_FILES).print(table)
    if options.json:
        figures = {name: [asdict(row) | {"met": row.met} for row in rows] for name, rows in measured.items()}
        print(json.dumps({"date": str(datetime.date.today()), "machine": machine, "figures": figures}))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
