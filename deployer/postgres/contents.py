"""What is in every table of a database at one moment: its rows and a digest of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deployer.errors import DeployerError

Sql = Callable[[str], str]
"""Has psql run a script, and gives what it says: Database.sql."""
LOCK_SECONDS = 10
"""A table that is written for longer than this by one transaction has no moment to be recorded at."""
# A digest is the sum of its rows' hashes, so that neither their order nor their number matters to memory; what a row
# looks like as a text is fixed by these settings.
_SETTINGS = """
SET client_min_messages = warning;
SET search_path = pg_catalog;
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'iso_8601';
SET timezone = 'UTC';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
"""
# psql's \gset puts what it finds into the variables `tables` and `digests`.
_TABLES = r"""
SELECT coalesce(string_agg(name, ', '), '') AS tables,
       coalesce(string_agg(format('SELECT %L AS name, count(*) AS rows, sum(hashtextextended(t::text, 0)) AS total '
                                  'FROM ONLY %s AS t', name, name), ' UNION ALL '),
                'SELECT NULL AS name, 0 AS rows, 0 AS total WHERE false') AS digests,
       count(*) > 0 AS any
FROM (SELECT format('%I.%I', nspname, relname) AS name
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind = 'r' AND relpersistence = 'p' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
      ORDER BY 1) AS found
\gset
"""
_DIGESTS = """
SELECT json_build_object('time', :'time', 'tables', coalesce(json_object_agg(name, json_build_object(
    'rows', rows, 'digest', left(md5(concat(rows, ' ', total)), 16))), '{}'))
FROM (:digests) AS each_table;
"""
# The snapshot outlives the locks: it is the transaction's, they are the savepoint's. While they are held, every commit
# to these tables is in the snapshot and earlier than the time, or in neither.
_AT_A_MOMENT = rf"""
{_SETTINGS}
SET lock_timeout = '{LOCK_SECONDS}s';
{_TABLES}
BEGIN ISOLATION LEVEL REPEATABLE READ;
SAVEPOINT still;
\if :any
LOCK TABLE ONLY :tables IN SHARE MODE;
\endif
SELECT clock_timestamp() AS time \gset
ROLLBACK TO SAVEPOINT still;
{_DIGESTS}
COMMIT;
"""
_ALONE = rf"""
{_SETTINGS}
{_TABLES}
SELECT now() AS time \gset
{_DIGESTS}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """rows: how many; digest: 16 hexadecimal digits, alike for the same rows in any order."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What was in every table at a time (as Postgres writes it, with its zone)."""

    time: str
    tables: Mapping[str, Table]

    def as_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


def parse(text: str) -> Contents:
    """The opposite of as_json."""
    found: dict[str, Any] = json.loads(text)
    return Contents(found["time"], {name: Table(**table) for name, table in found["tables"].items()})


def recorded(sql: Sql) -> Contents:
    """What is in a database that others write to, which wait for a moment; raises DeployerError."""
    return _told(sql, _AT_A_MOMENT)


def read(sql: Sql) -> Contents:
    """What is in a database; nobody waits. Raises DeployerError."""
    return _told(sql, _ALONE)


def differences(found: Contents, expected: Contents) -> Iterator[str]:
    """A sentence for each table that is not as expected."""
    for name in sorted(found.tables.keys() | expected.tables.keys()):
        here, there = found.tables.get(name), expected.tables.get(name)
        if here is None or there is None:
            yield f"{name} is {'missing' if here is None else 'there, and was not'}"
        elif here != there:
            yield f"{name} has {here.rows} rows ({here.digest}) instead of {there.rows} ({there.digest})"


def _told(sql: Sql, script: str) -> Contents:
    said = sql(script)
    line = next((line for line in reversed(said.splitlines()) if line.startswith("{")), None)
    if line is None:
        raise DeployerError(f"psql did not say what is in the tables: {said}")
    return parse(line)
