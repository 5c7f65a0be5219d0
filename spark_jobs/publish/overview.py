"""What the site tells of an index version as a whole: counted once, when it is published, so that no page counts it."""

from typing import Any

from psycopg2.extensions import connection as Connection

from spark_jobs.publish.tables import partition

EXAMPLES = 3
"""Rejected files named for each reason."""


def of(connection: Connection, index_id: int, run_id: int) -> dict[str, Any]:
    """Column `index_version.overview` of a finished version.

    instruments_per_song: [instruments (drums are one), songs] pairs, ascending. warnings: songs by warning.
    reject_examples: by reason, the first files by key, as {key, detail}.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT size, sum(songs)::integer FROM {partition('instrument_set', index_id)} GROUP BY size ORDER BY size"
        )
        sizes = cursor.fetchall()
        cursor.execute(
            f"SELECT warning, count(*) FROM {partition('song', index_id)}, unnest(warnings) AS warning GROUP BY warning"
        )
        warnings = cursor.fetchall()
        cursor.execute(
            """
            SELECT reason, jsonb_agg(jsonb_build_object('key', key, 'detail', detail) ORDER BY place)
              FROM (SELECT *, row_number() OVER (PARTITION BY reason ORDER BY key COLLATE "C") AS place
                      FROM reject WHERE run_id = %s) AS numbered
             WHERE place <= %s
             GROUP BY reason
            """,
            (run_id, EXAMPLES),
        )
        examples = cursor.fetchall()
    connection.rollback()
    return {"instruments_per_song": sizes, "warnings": dict(warnings), "reject_examples": dict(examples)}
