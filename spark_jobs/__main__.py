"""`python -m spark_jobs`: run the pipeline, and list, activate or collect what it published."""

import dataclasses
import json
import os
import sys
from typing import Annotated

import typer

from midi.errors import SourceError
from spark_jobs import settings
from spark_jobs.errors import JobError
from spark_jobs.settings import Parameters

DEFAULTS = Parameters()
DEFAULT_SOURCE = "free"
OFFLINE_SOURCE = "generated:1000"
"""What the default falls back to where the free songs can't be had."""

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
index = typer.Typer(no_args_is_help=True, help="The published index versions.")
cli.add_typer(index, name="index")


@cli.command()
def run(
    source: Annotated[
        str | None,
        typer.Option(
            help="A folder, archive, s3:// or http(s) URL, lakh, free, generated:N[:SEED].",
            show_default="free where it can be had, else generated:1000",
        ),
    ] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="S3 server, if not AWS.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Expected digest of a downloaded source.")] = None,
    master: Annotated[str, typer.Option(help="Spark master.")] = "local[*]",
    max_bytes: Annotated[int, typer.Option(help="Larger files are rejected.")] = DEFAULTS.max_bytes,
    neighbours: Annotated[int, typer.Option(help="Similar songs per song.")] = DEFAULTS.neighbours,
    set_weight: Annotated[int, typer.Option(help="The instrument sets' part of the score, in thousandths.")] = (
        DEFAULTS.set_weight
    ),
    chunk_bytes: Annotated[int, typer.Option(help="Most bytes of one chunk.")] = DEFAULTS.chunk_bytes,
    chunk_objects: Annotated[int, typer.Option(help="Most files of one chunk.")] = DEFAULTS.chunk_objects,
    keep_versions: Annotated[int, typer.Option(min=1, help="Ready index versions kept.")] = 3,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Scan a source and publish its index; prints the summary as one JSON object.

    Where no source is given, `default_source` in it says which one was taken.
    """
    from midi.sources import open_source
    from midi.sources.base import Source, SourceOptions
    from midi.sources.cache import user_cache
    from spark_jobs.pipeline import Pipeline
    from spark_jobs.progress import BYTES, Display
    from spark_jobs.session import spark_context

    parameters = Parameters(max_bytes, neighbours, set_weight, chunk_bytes, chunk_objects)
    options = SourceOptions(user_cache(), endpoint_url, sha256)
    default: dict[str, str] = {}
    with Display(quiet) as display:

        def opened() -> Source:
            with display.stage("fetch", BYTES) as update:

                def report(what: str, done: int, total: int | None) -> None:
                    update(done, total)

                if source:
                    return open_source(source, options, report)
                default["default_source"] = DEFAULT_SOURCE
                try:
                    return open_source(DEFAULT_SOURCE, options, report)
                except SourceError as error:
                    display.note(f"{error} Going on with {OFFLINE_SOURCE}.")
                    default["default_source"] = OFFLINE_SOURCE
                    return open_source(OFFLINE_SOURCE, options, report)

        pipeline = Pipeline(
            database_url=settings.database_url(),
            spark=lambda: spark_context(master),
            parameters=parameters,
            code_version=settings.code_version(),
            keep_versions=keep_versions,
            display=display,
        )
        summary = pipeline.run(opened)
    print(json.dumps(summary.as_json() | default), flush=True)


@index.command("list")
def list_() -> None:
    """Print every index version, newest first, as one JSON array."""
    from spark_jobs.database import connect
    from spark_jobs.publish.versions import versions

    with connect(settings.database_url(), "scale-index") as connection:
        print(json.dumps([dataclasses.asdict(version) for version in versions(connection)], default=str))


@index.command()
def activate(index_id: int) -> None:
    """Serve an earlier version, after checking that it is what was published."""
    from spark_jobs.database import connect
    from spark_jobs.publish import versions

    with connect(settings.database_url(), "scale-index") as connection:
        versions.activate(connection, index_id)


@index.command()
def collect(keep: Annotated[int, typer.Option(min=0, help="Ready versions kept beside the current one.")] = 1) -> None:
    """Remove old and failed versions; prints the ids removed as a JSON array."""
    from spark_jobs.database import connect
    from spark_jobs.ledger import exclusive
    from spark_jobs.publish import versions

    with connect(settings.database_url(), "scale-index") as connection, exclusive(connection):
        print(json.dumps(versions.collect(connection, keep)))


def main() -> None:
    """The exit code is 0, 2 with a sentence for what the user can mend, 1 for what only we can."""
    try:
        cli()
    except Exception as error:
        if os.environ.get("SCALE_DEBUG"):
            raise
        if isinstance(error, (JobError, SourceError)):
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        first_line = str(error).partition("\n")[0]
        print(f"error: {type(error).__name__}: {first_line} That is a defect; --debug shows where.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
