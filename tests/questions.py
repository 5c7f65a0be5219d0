"""What visitors ask of a large index, drawn from its own songs: the same for the same seed."""

from dataclasses import dataclass
from random import Random

from psycopg2 import extensions

from app.instruments import DRUMS
from app.searching import HEADINGS, SORTS, Search


@dataclass(frozen=True, slots=True)
class KnownSong:
    """hash: 32 hex digits. instruments: bits, drums last."""

    hash: str
    title: str
    instruments: list[int]


class Questions:
    """Draws questions that most often have an answer."""

    def __init__(self, connection: extensions.connection, seed: int, sample: int = 3_000) -> None:
        """sample: how many songs of the current index to know."""
        self.random = Random(seed)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT songs FROM index_version JOIN current_index USING (index_id)")
            (self.songs,) = cursor.fetchone() or (0,)
            cursor.execute(
                "SELECT replace(hash::text, '-', ''), title, programs, drum_notes"
                " FROM song JOIN current_index USING (index_id) WHERE song_id = ANY (%s) ORDER BY song_id",
                [self.random.sample(range(self.songs), min(sample, self.songs))],
            )
            self.known = [
                KnownSong(hash_hex, title, programs + [DRUMS] * (drums > 0))
                for hash_hex, title, programs, drums in cursor.fetchall()
            ]

    def search(self) -> Search:
        """1 to 8 instruments of one song, in one of six with some under "any" or "none"; any order, page 1, 2 or 5."""
        draw = self.random
        bits = draw.choice(self.known).instruments
        wanted = draw.sample(bits, min(len(bits), draw.randint(1, 8)))
        chosen = dict.fromkeys(HEADINGS, frozenset[int]()) | {"all": frozenset(wanted)}
        kind = draw.random()
        if kind < 1 / 12 and len(wanted) > 1:
            chosen |= {"all": frozenset(wanted[2:]), "any": frozenset(wanted[:2])}
        elif kind < 1 / 6:
            chosen["none"] = frozenset(draw.sample(range(128), 2)) - chosen["all"]
        return Search(chosen=chosen, sort=draw.choice(SORTS), page=draw.choice((1, 1, 1, 2, 5)))

    def hash(self) -> str:
        return self.random.choice(self.known).hash

    def title(self) -> str:
        """A title as people type it: often in part, in one of two with a typing error."""
        draw = self.random
        title = draw.choice(self.known).title.lower()
        if draw.random() < 0.3:
            title = draw.choice(title.split())
        if draw.random() < 0.5:
            place = draw.randrange(len(title))
            title = title[:place] + draw.choice("abdeghiklmnorstu") + title[place + draw.randint(0, 1) :]
        return title[: draw.choice((3, 8, 200, 200))]
