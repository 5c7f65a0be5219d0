"""The web half of Scale: a Flask site over a published index.

Reads Postgres (`DATABASE_URL`) and answers HTTP; the only writes are those of `app.migrate`, which owns the schema.
Imports nothing of `spark_jobs`, `deployer` or `chaos`: what it shares with them is `schema.sql` and the package `midi`.
"""

import os

from flask import Flask

from app import (
    about,
    api,
    db,
    errors,
    files,
    finding,
    health,
    http,
    legacy,
    like,
    limits,
    metrics,
    music,
    presentation,
    resembling,
    songs,
    uploads,
)
from app.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """The site, ready to serve; needs no database until a page is asked for.

    settings: None reads the environment, and raises SettingsError where that does not do.
    """
    settings = settings or Settings.from_environment(os.environ)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_QUERY_BYTES"] = settings.max_query_bytes
    app.url_map.strict_slashes = False
    for part in (db, files, finding, resembling, http, uploads, limits, metrics, errors, presentation):
        part.init_app(app, settings)
    for group in (songs, music, like, about, api, health, legacy):
        app.register_blueprint(group.blueprint)
    return app
