"""`./run_kube demo`: the whole product on this machine, without a cluster."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from deployer.commands import TRY


def register(cli: typer.Typer) -> None:
    cli.command(rich_help_panel=TRY)(demo)


def demo(
    source: Annotated[
        str | None,
        typer.Option(
            help="MIDI files: a folder or file, .zip, .tar(.gz), s3://bucket/prefix, a URL, lakh, free (out of Debian "
            "packages), generated:N[:SEED].",
            show_default="free where it can be had, else generated:1000",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the site listens; 0 takes a free port.")] = 8080,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the database here between runs.", show_default="a temporary folder")
    ] = None,
    serve: Annotated[bool, typer.Option(help="Serve the site when the index is published.")] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object on the last line.")
    ] = False,
    endpoint_url: Annotated[
        str | None, typer.Option(help="The S3 server of an s3:// source, if it is not AWS.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="The digest a downloaded source must have.")] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, help="Reject files larger than this.", show_default="8 MiB")
    ] = None,
) -> None:
    """Run the pipeline on MIDI files and serve the songs: embedded Postgres, local Spark, the site on 127.0.0.1."""
    from deployer import demo as embedded

    options = {"endpoint-url": endpoint_url, "sha256": sha256, "max-bytes": max_bytes}
    with embedded.running(source, data_dir, port if serve else None, options) as demonstration:
        if json:
            print(json_format.dumps(demonstration.summary), flush=True)
        else:
            print(embedded.described(demonstration.summary), flush=True)
        demonstration.wait()
