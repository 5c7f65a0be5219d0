"""Makes generated_seed.json anew: `python -m tests.unit.sources.generated_seed CACHE_FOLDER`, on Debian or Ubuntu.

The file holds facts about the songs of the source `free` (which programs, how many notes, how fast, how long) and none
of their music. Run it when the packages or the scanner change, and commit what it writes.
"""

import json
import sys
from pathlib import Path

from midi.scan.song import SongFacts, scan_song
from midi.sources.base import Source, SourceOptions
from midi.sources.free import open_free
from midi.sources.generated_sets import SEED_FILE

_LIMIT = 8 << 20
_ABOUT = (
    "Facts of freely licensed songs, from which generated:N makes its instrument sets; "
    "made by tests/unit/sources/generated_seed.py."
)


def seed_rows(source: Source) -> list[dict[str, object]]:
    """Facts of each different song, in key order."""
    rows: dict[str, dict[str, object]] = {}
    with source.reader() as read:
        for obj in source.objects():
            scanned = scan_song(read(obj, _LIMIT), obj.key)
            if isinstance(scanned, SongFacts):
                rows.setdefault(scanned.hash, _row(obj.key, scanned))
    return list(rows.values())


def main(cache_dir: Path) -> None:
    source = open_free(SourceOptions(cache_dir), lambda what, done, total: None)
    manifest = json.loads((source.path.parent / "LICENCES.json").read_text())
    head = json.dumps({"about": _ABOUT, "packages": manifest["packages"]}, indent=1)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in seed_rows(source))
    SEED_FILE.write_text(f'{head[:-2]},\n "songs": [\n{lines}\n]}}\n')


def _row(key: str, facts: SongFacts) -> dict[str, object]:
    return {
        "song": key,
        "tracks": facts.tracks,
        "bpm": round(facts.tempo_bpm),
        "seconds": round(facts.duration_seconds),
        "drums": facts.drum_notes,
        "programs": list(facts.programs),
        "notes": list(facts.notes),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
