"""Connections of the site's server that do not wait for ever for a request, however slowly it drips in."""

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]


class ImpatientChannel(HTTPChannel):  # type: ignore[misc]
    """waitress closes a connection that was silent for channel_timeout. Here what arrives of a request that has begun
    is no sign of life: from its beginning on, the whole request has that long."""

    last_activity: float

    def handle_read(self) -> None:
        begun, since = self.request, self.last_activity
        super().handle_read()
        if begun is not None and self.request is begun:
            self.last_activity = since
