"""The batch half of Scale: scan -> similarity -> publish of the songs that `midi` reads, on Spark and Postgres.

Runs as `python -m spark_jobs`, embedded or in a driver pod alike. Talks to the outside through a source (bytes in),
Postgres (`DATABASE_URL`) and its exit code; imports nothing of `app`, `deployer` or `chaos`.
"""
