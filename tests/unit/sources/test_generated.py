"""Made-up songs: the same for ever, and alike in the ways that matter."""

import hashlib
import io
import pickle
import re
from collections import Counter
from random import Random

import mido
import pytest

from midi.scan.song import SongFacts, scan_song
from midi.sources.generated import GeneratedSource, generate
from midi.sources.generated_sets import arrange, real_songs
from tests.unit.sources.songs import contents, listed

SEED = 20
FILES = 1500


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [generate(SEED, number) for number in range(FILES)]


@pytest.fixture(scope="module")
def facts(files: list[bytes]) -> list[SongFacts]:
    return [fact for fact in (scan_song(data, "") for data in files) if isinstance(fact, SongFacts)]


def sounding(midi: mido.MidiFile) -> dict[tuple[int, bool], int]:
    """Notes by (program, is it drums), programs taken per channel over all tracks."""
    programs, notes = [0] * 16, Counter[tuple[int, bool]]()
    for message in mido.merge_tracks(midi.tracks):
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            drums = message.channel == 9
            notes[0 if drums else programs[message.channel], drums] += 1
    return dict(notes)


def test_the_bytes_are_those_of_every_machine_and_python_version() -> None:
    digest = hashlib.sha256(b"".join(generate(0, number) for number in range(300))).hexdigest()
    assert digest == "111689b8d02cbd5c94669f9df7d7b703a311bf95ba77b24c7d6df288935c8817", (
        "bytes changed: raise _EDITION in generated.py, so that old runs are not resumed with them"
    )


def test_a_files_bytes_depend_on_seed_and_number_alone(files: list[bytes]) -> None:
    assert list(contents(GeneratedSource(40, SEED)).values()) == files[:40]
    assert [generate(SEED, number) for number in (39, 7, 39)] == [files[39], files[7], files[39]]
    assert generate(SEED + 1, 7) != files[7]


def test_keys_are_readable_unique_and_in_order() -> None:
    keys = [obj.key for obj in listed(GeneratedSource(2000, SEED))]
    assert keys == sorted(set(keys))
    assert all(re.fullmatch(r"generated/\d{6}-[a-z]+-[a-z]+\.mid", key) for key in keys)
    assert listed(GeneratedSource(5, 1)) == listed(GeneratedSource(9, 1))[:5] != listed(GeneratedSource(5, 2))


def test_numbers_of_a_large_corpus_are_as_wide_as_its_last() -> None:
    assert next(GeneratedSource(1_000_000).objects()).key.startswith("generated/000000-")
    assert next(GeneratedSource(1_000_001).objects()).key.startswith("generated/0000000-")


def test_the_seed_is_in_description_and_versions() -> None:
    assert GeneratedSource(5).description == "generated:5:0"
    assert listed(GeneratedSource(1, 1))[0].version != listed(GeneratedSource(1, 2))[0].version


def test_reading_stops_at_the_limit_and_works_after_pickling(files: list[bytes]) -> None:
    source = pickle.loads(pickle.dumps(GeneratedSource(3, SEED)))  # noqa: S301
    with source.reader() as read:
        assert [read(obj, 9) for obj in source.objects()] == [data[:9] for data in files[:3]]


def test_a_file_sounds_with_just_what_was_arranged() -> None:
    checked = 0
    for number in range(60):
        data = generate(SEED, number)
        digest = hashlib.blake2b(f"1:{SEED}:{number}".encode(), digest_size=16).digest()
        random = Random(int.from_bytes(digest, "big"))
        if not 0.01 <= random.random() <= 0.99:
            continue
        wanted = arrange(random)
        found = sounding(mido.MidiFile(file=io.BytesIO(data)))
        assert {program for program, drums in found if not drums} == set(wanted.shares)
        assert any(drums for _, drums in found) == (wanted.drums > 0)
        checked += 1
    assert checked > 50


def test_the_formats_shapes_are_all_there(facts: list[SongFacts]) -> None:
    assert {fact.format for fact in facts} == {0, 1}
    drums_alone = sum(not fact.programs for fact in facts)
    elsewhere = sum("program_from_other_track" in fact.warnings for fact in facts)
    assert 0.002 < drums_alone / FILES < 0.03
    assert 0.005 < elsewhere / FILES < 0.04


def test_running_status_is_used_by_some(files: list[bytes]) -> None:
    running = 0
    for data in files:
        fact = scan_song(data, "")
        if isinstance(fact, SongFacts):
            # Every note of the other files ends with a note-off of velocity 0: status byte, pitch, 0.
            ends = len(re.findall(rb"[\x80-\x8f][\x00-\x7f]\x00", data))
            running += ends < (sum(fact.notes) + fact.drum_notes) / 2
    assert 0.05 < running / FILES < 0.3


def test_about_one_file_in_a_hundred_is_broken_and_one_repeats_another(
    files: list[bytes], facts: list[SongFacts]
) -> None:
    cut_short = sum("truncated" in fact.warnings for fact in facts)
    assert 0.004 < (FILES - len(facts) + cut_short) / FILES < 0.02
    songs = [data for data in files if len(data) > 100]
    assert 0.003 < (len(songs) - len(set(songs))) / FILES < 0.025


def test_instrument_sets_recur_and_vary_as_real_ones_do() -> None:
    random = Random(SEED)
    drawn = [arrange(random) for _ in range(11_133)]
    sets = Counter((tuple(one.shares), one.drums > 0) for one in drawn)
    assert 0.4 < len(sets) / len(drawn) < 0.7
    assert sets.most_common(1)[0][1] > 50


def test_sizes_of_instrument_sets_are_distributed_like_the_real_ones() -> None:
    random = Random(SEED)
    real = Counter(len(song.notes) + bool(song.drum_notes) for song in real_songs())
    made = Counter(len(one.shares) + bool(one.drums) for one in (arrange(random) for _ in range(11_133)))
    distance = sum(abs(real[size] / real.total() - made[size] / made.total()) for size in range(130)) / 2
    assert distance < 0.1


def test_shares_of_an_arrangement_add_up_and_every_part_sounds() -> None:
    random = Random(SEED)
    for one in (arrange(random) for _ in range(2000)):
        assert sum(one.shares.values()) + one.drums == pytest.approx(1)
        assert all(share > 0 for share in one.shares.values())
        assert all(0 <= program < 128 for program in one.shares)
        assert one.shares or one.drums
