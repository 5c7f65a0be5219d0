"""MIDI files: where they come from (`sources`), what is in them (`scan`), what makes two of them alike (`likeness`).

What the jobs and the site share. Bytes in, facts out: imports nothing of either, knows nothing of Spark, Postgres or
HTTP servers.
"""
