"""`./run_kube gen_pg_assets`: Lakh's names as a file that Postgres takes."""

from pathlib import Path
from typing import Annotated

import typer

from deployer.commands import TRY


def register(cli: typer.Typer) -> None:
    cli.command("gen_pg_assets", rich_help_panel=TRY)(gen_pg_assets)


def gen_pg_assets(
    paths: Annotated[Path, typer.Argument(help="Lakh's md5_to_paths.json.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("hash_names.csv"),
) -> None:
    """Write hash_names.csv (hash, song_name), ready for COPY, from md5_to_paths.json."""
    from deployer import process

    process.part("spark_jobs.names", str(paths), str(out), environment={})
    print(f"Wrote {out}. To load it: COPY table FROM STDIN WITH (FORMAT csv, HEADER)")
