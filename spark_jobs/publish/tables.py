"""The partitions of an index version: one per published table, named after it and the version."""

from psycopg2.extensions import cursor as Cursor

TABLES = ("instrument_set", "song", "song_file", "neighbour")


def partition(table: str, index_id: int) -> str:
    """The name of an index version's partition of a published table."""
    if table not in TABLES:
        raise LookupError(f"{table} is not a published table")
    return f"{table}_{index_id:d}"


def create(cursor: Cursor, index_id: int) -> None:
    """Make the version's tables, not attached yet: nothing that is served is locked or changed."""
    for table in TABLES:
        # The CHECK spares the attach a scan.
        cursor.execute(
            f"CREATE TABLE {partition(table, index_id)}"
            f" (LIKE {table} INCLUDING ALL, CHECK (index_id IS NOT NULL AND index_id = {index_id:d}))"
        )


def attach(cursor: Cursor, index_id: int) -> None:
    for table in TABLES:
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {partition(table, index_id)} FOR VALUES IN ({index_id:d})"
        )


def drop(cursor: Cursor, index_id: int) -> None:
    """Remove the version's tables, attached or not."""
    for table in TABLES:
        cursor.execute(f"DROP TABLE IF EXISTS {partition(table, index_id)}")
