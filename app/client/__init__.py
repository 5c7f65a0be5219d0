"""A client of the API: its answers as dataclasses, its refusals as exceptions.

    with Client("http://127.0.0.1:8080") as scale:
        for song in scale.songs(Choice(all=["Violin", 73], drums="none")):
            print(song.title)

Knows of the site only what openapi.json says, and imports nothing of it.
"""

from app.client.answers import Choice, Counts, IndexFacts, Resemblance, Similar, Song, SongDetail, SongPage
from app.client.calls import Client
from app.client.errors import (
    IndexReplaced,
    NotFound,
    Problem,
    ScaleError,
    TooManyRequests,
    Unavailable,
    Unintelligible,
    Unreachable,
)

__all__ = [
    "Choice",
    "Client",
    "Counts",
    "IndexFacts",
    "IndexReplaced",
    "NotFound",
    "Problem",
    "Resemblance",
    "ScaleError",
    "Similar",
    "Song",
    "SongDetail",
    "SongPage",
    "TooManyRequests",
    "Unavailable",
    "Unintelligible",
    "Unreachable",
]
