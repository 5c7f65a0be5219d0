"""What the site is told from outside, typed, with its defaults, checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import psycopg2
from psycopg2.extensions import parse_dsn


class SettingsError(Exception):
    """The settings do not do. The message names every fault and what to do, and never holds a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is read from the environment variable of its name: DATABASE_URL, or SCALE_<FIELD> for the others."""

    database_url: str
    """A libpq address: postgresql://user@host:5432/name, or "host=... dbname=..."."""

    pool_size: int = 8
    """Most connections held to the database at once."""

    pool_wait_seconds: float = 2.0
    """How long a request waits for a free connection."""

    connect_seconds: float = 2.0
    """How long a request waits for the database to answer at all."""

    statement_seconds: float = 5.0
    """How long one query may take."""

    spare_threads: int = 4
    """Serving threads beyond the pool's size, so that probes and static files are answered while all queries wait."""

    max_query_bytes: int = 8192
    """Longest query string; choosing all 128 instruments takes about 900 bytes."""

    max_body_bytes: int = 65536
    """Largest request body, but for those that bring a file."""

    max_upload_bytes: int = 1 << 20
    """Largest file that a visitor may send to be compared."""

    slow_client_seconds: int = 30
    """How long a connection may be silent, before its request is whole or after, until it is closed."""

    most_connections: int = 500
    """Connections of clients held at once; further ones wait to be accepted."""

    client_requests_per_second: float = 100.0
    """How many requests one client (an address) may make in the long run."""

    client_burst: int = 400
    """How many it may make at once; a file sent counts as many (app/limits.py)."""

    source: str = ""
    """Where the songs' files are, as the pipeline was told it (a folder, an archive, s3://...); "" for no files."""

    source_endpoint_url: str = ""
    """The S3 server of an s3:// source, "" for AWS."""

    source_seconds: float = 5.0
    """How long a request waits for a file of the source."""

    def __post_init__(self) -> None:
        faults = [*_database_faults(self.database_url)]
        for field in fields(self):
            if isinstance(field.default, str) or field.name == "database_url":
                continue
            value, least = getattr(self, field.name), 0 if field.name == "spare_threads" else 0.001
            if not least <= value < 1_000_000_000:
                faults.append(f"{_variable(field.name)} is {value}; give a positive number below a billion")
        if faults:
            raise SettingsError("; ".join(faults) + ".")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the fields that are set; raises SettingsError naming all faults at once."""
        given: dict[str, str | int | float] = {"database_url": environment.get("DATABASE_URL", "")}
        faults = [*_database_faults(environment.get("DATABASE_URL", ""))]
        for field in fields(cls)[1:]:
            text = environment.get(_variable(field.name))
            if text is None:
                continue
            if isinstance(field.default, str):
                given[field.name] = text
                continue
            whole = isinstance(field.default, int)
            try:
                given[field.name] = int(text) if whole else float(text)
            except ValueError:
                faults.append(f"{_variable(field.name)} is {text!r}; give {'a whole number' if whole else 'a number'}")
        if faults:
            raise SettingsError("; ".join(faults) + ".")
        return cls(**given)  # type: ignore[arg-type]


def _variable(field: str) -> str:
    return "DATABASE_URL" if field == "database_url" else f"SCALE_{field.upper()}"


def _database_faults(url: str) -> list[str]:
    if not url:
        return ["DATABASE_URL is not set; give the address of the Postgres database, postgresql://user@host:5432/name"]
    try:
        parse_dsn(url)
    except psycopg2.ProgrammingError:
        return ["DATABASE_URL is not a Postgres address; write it as postgresql://user@host:5432/name"]
    return []
