"""The API, version 1: what the pages know, as JSON, described by openapi.json.

Every answer says which index gave it (`index`, and the header X-Index-Version) and has an ETag that holds as long as
that index is current. Failures are application/problem+json (app.errors).
"""

from app.api.routes import blueprint

__all__ = ["blueprint"]
