"""The pages people come for: the search, its results, a song."""

import re
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import files, music, queries
from app.comparing import Likeness, Share, likeness, note_shares
from app.db import Connection
from app.finding import Found, find_songs
from app.instruments import Catalogue, Instrument
from app.music import Music
from app.neighbour_map import NeighbourMap, neighbour_map
from app.queries import Index, Similar, Song
from app.reading import catalogue, read
from app.searching import PAGE_SIZE, Search, all_of, read_search
from midi.likeness import idf_weights

blueprint = Blueprint("songs", __name__)

FILES_SHOWN = 20

EXAMPLES = ((40,), (109,), (114,), (19, 52), (24, 73), (56, 57, 58), (0, 32, 66))
"""Programs that are chosen together in the front page's examples."""


NARROWING = 16
"""Instruments that a page of results offers to narrow it by."""


@dataclass(frozen=True, slots=True)
class Form:
    """A search as it was asked, and what it finds."""

    index: Index
    catalogue: Catalogue
    search: Search
    found: Found

    @property
    def narrowing(self) -> list[tuple[Instrument, int]]:
        """The instruments that most of the songs found have, but not all, and how many have each."""
        counts = self.found.instruments
        some = [bit for bit in self.catalogue.by_bit if 0 < counts[bit] < self.found.total]
        most = sorted(some, key=lambda bit: -counts[bit])[:NARROWING]
        return [(self.catalogue.by_bit[bit], counts[bit]) for bit in most]


@dataclass(frozen=True, slots=True)
class SongPage:
    catalogue: Catalogue
    song: Song
    shares: list[Share]
    files: list[str]
    file_count: int
    similar: list[Likeness]
    map: NeighbourMap
    music: Music | None

    @property
    def same_line_up(self) -> dict[str, Any]:
        """Arguments of the search for songs that have all of this one's instruments."""
        return all_of(self.song.notes).arguments()


@blueprint.get("/")
def search() -> ResponseReturnValue:
    """The search form, filled in with what the address says, with how many songs each further choice would leave."""
    form = read(_form)
    return _filled(form, 400 if form.search.problems else 200)


@blueprint.get("/songs")
def results() -> ResponseReturnValue:
    """One page of the songs a search finds; the form again, with the reason, if the search is not sound."""
    form = read(_form)
    if form.search.problems:
        return _filled(form, 400)
    pages = max(1, -(-form.found.total // PAGE_SIZE))
    if form.search.page > pages:
        last = f"The search has only {pages:,} page{'s' if pages > 1 else ''}; choose one of them."
        return _filled(replace(form, search=replace(form.search, problems=(last,))), 404, pages)
    return render_template("results.html", form=form, catalogue=form.catalogue, search=form.search, pages=pages)


@blueprint.get("/songs/<song_hash>")
def song(song_hash: str) -> ResponseReturnValue:
    """One song, by the 32 hex digits of its content hash."""
    if not re.fullmatch("[0-9a-fA-F]{32}", song_hash):
        abort(404, "A song's address ends in 32 hexadecimal digits; this one does not.")
    if song_hash != song_hash.lower():
        return redirect(url_for("songs.song", song_hash=song_hash.lower()), 301)
    found = read(lambda connection, index: _song_page(connection, index, song_hash))
    if found is None:
        abort(404, "No song of the present index has this hash; it may have been in an earlier one.")
    return render_template("song.html", page=found, SYNTHESISER=music.SYNTHESISER)


def _song_page(connection: Connection, index: Index, song_hash: str) -> SongPage | None:
    found = queries.song(connection, index.index_id, song_hash)
    if found is None:
        return None
    names = catalogue(connection)
    song_id = found.line.song_id
    keys, file_count = queries.song_files(connection, index.index_id, song_id, FILES_SHOWN)
    similar = queries.similar_songs(connection, index.index_id, song_id)
    origins = queries.file_origins(connection, index.index_id, song_id, files.MOST_TRIED)
    return SongPage(
        names,
        found,
        note_shares(found, names),
        keys,
        file_count,
        [likeness(found, one, names) for one in similar],
        _map(connection, index, similar),
        music.offered(found, origins),
    )


def _map(connection: Connection, index: Index, similar: list[Similar]) -> NeighbourMap:
    ids = [one.line.song_id for one in similar]
    notes = queries.song_notes(connection, index.index_id, ids)
    songs_with = find_songs(connection, index, Search(), most=0).instruments
    return neighbour_map(
        [notes[song_id] for song_id in ids], [one.score for one in similar], idf_weights(songs_with, index.songs)
    )


def _form(connection: Connection, index: Index) -> Form:
    names = catalogue(connection)
    wanted = read_search(request.args, names)
    shown = PAGE_SIZE if request.endpoint == "songs.results" and not wanted.problems else 0
    return Form(index, names, wanted, find_songs(connection, index, wanted, wanted.first, shown))


def _filled(form: Form, code: int, last_page: int | None = None) -> Response:
    page = render_template(
        "search.html", form=form, catalogue=form.catalogue, search=form.search, last_page=last_page, examples=EXAMPLES
    )
    return make_response(page, code)
