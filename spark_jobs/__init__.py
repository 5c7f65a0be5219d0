"""The batch half of Scale: sources -> scan -> similarity -> publish, on Spark and Postgres.

Runs as `python -m spark_jobs`, embedded or in a driver pod alike. Talks to the outside through a source (bytes in),
Postgres (`DATABASE_URL`) and its exit code; imports nothing of `app`, `deployer` or `chaos`.
"""
