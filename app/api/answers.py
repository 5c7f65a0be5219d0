"""What the API says of things, and how it is sent."""

from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, request

from app.api.document import stamp
from app.instruments import DRUMS, Catalogue
from app.provenance import Overview, Provenance
from app.queries import Index, Similar, Song, SongLine
from app.resembling import Resemblance

Json = dict[str, Any]


def answer(index: Index, body: Json) -> Response:
    """The body with its index; only the headers if the client has it already."""
    response = jsonify(index=index.index_id, **body)
    # Another database may count its indexes from 1 too; other code may say the same otherwise.
    response.set_etag(f"{index.index_id}-{int(index.created_at.timestamp() * 1000):x}-{stamp()}", weak=True)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def answer_once(index: Index, body: Json) -> Response:
    """The body with its index, for this client and this time only."""
    response = jsonify(index=index.index_id, **body)
    response.headers["Cache-Control"] = "no-store"
    return response


def line(song: SongLine) -> Json:
    return {
        "hash": song.hash,
        "title": song.title,
        "duration_seconds": song.duration_seconds,
        "tempo_bpm": song.tempo_bpm,
        "programs": [bit for bit in song.instruments if bit != DRUMS],
        "drums": DRUMS in song.instruments,
    }


def detail(song: Song, names: Catalogue, files: list[str], file_count: int) -> Json:
    return line(song.line) | {
        "format": song.format,
        "tracks": song.tracks,
        "instruments": [
            {"program": bit, "name": names.by_bit[bit].name, "notes": notes}
            for bit, notes in song.notes.items()
            if bit != DRUMS
        ],
        "drum_notes": song.notes.get(DRUMS, 0),
        "warnings": list(song.warnings),
        "files": files,
        "file_count": file_count,
    }


def alike(near: list[Similar]) -> list[Json]:
    return [{"score": one.score / 1_000_000, "song": line(one.line)} for one in near]


def resembled(found: Resemblance) -> Json:
    return {
        "song": detail(found.song, found.catalogue, found.files, found.file_count),
        "indexed": found.known is not None,
        "similar": alike(found.similar),
    }


def about(index: Index, origin: Provenance) -> Json:
    """All that is recorded of an index as a whole; null for what is younger than the index."""
    run = origin.run
    return {
        "songs": index.songs,
        "sets": index.sets,
        "created_at": index.created_at.isoformat(),
        "digest": origin.digest,
        "source": run.source,
        "code_version": run.code_version,
        "parameters": run.parameters,
        "stage_seconds": run.stage_seconds,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        **asdict(origin.counts),
        "overview": origin.overview and _overview(origin.overview),
        "outliers": origin.outliers
        and [
            {"score": one.score, "song": line(one.song), "reasons": [asdict(reason) for reason in one.reasons]}
            for one in origin.outliers
        ],
    }


def _overview(overview: Overview) -> Json:
    sizes = [{"instruments": instruments, "songs": songs} for instruments, songs in overview.instruments_per_song]
    return asdict(overview) | {"instruments_per_song": sizes}
