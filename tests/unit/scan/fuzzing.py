"""Seeded damage to files: the same seed and number give the same bytes on every machine."""

import os
import random
import re
import struct

FUZZ_INPUTS = int(os.environ.get("FUZZ_INPUTS", "3000"))
FUZZ_SEED = int(os.environ.get("FUZZ_SEED", "20190613"))

LARGEST = 200_000
TELLING_BYTES = [
    b"MThd",
    b"MTrk",
    b"\x00\xff\x2f\x00",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80\x80",
    b"\xf0\xff\xff\xff\x7f",
    b"\xff\x51\x03\x00\x00\x00",
    b"\xff\x03\xff\xff\xff\x7f",
    b"RIFF\x00\x00\x00\x00RMIDdata",
]


def flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 20)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    data[start : start + rng.randint(1, 64)] = rng.randbytes(rng.randint(0, 64))


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def remove(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randint(1, 40)]


def repeat(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 400)]
    data[start:start] = piece * rng.randint(1, 20)


def insert(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    data[start:start] = rng.choice(TELLING_BYTES) * rng.randint(1, 3)


def lie_about_length(data: bytearray, rng: random.Random) -> None:
    tags = [found.start() for found in re.finditer(b"MT(?:hd|rk)(?=....)", data, re.DOTALL)]
    if tags:
        lie = rng.choice([0, 1, rng.randint(0, len(data) * 2), rng.getrandbits(32), 0xFFFFFFFF])
        at = rng.choice(tags)
        data[at + 4 : at + 8] = struct.pack(">I", lie)


def lie_in_header(data: bytearray, rng: random.Random) -> None:
    at = rng.choice([8, 10, 12])
    data[at : at + 2] = struct.pack(">H", rng.choice([0, 1, 2, 3, 0x7FFF, 0x8000, 0xFFFF, rng.getrandbits(16)]))


def shuffle_chunks(data: bytearray, rng: random.Random) -> None:
    first, *rest = bytes(data).split(b"MTrk")
    rng.shuffle(rest)
    data[:] = b"MTrk".join([first, *rest])


MUTATIONS = [flip_bits, overwrite, cut, remove, repeat, insert, lie_about_length, lie_in_header, shuffle_chunks]


def damaged(seeds: list[tuple[str, bytes]], number: int) -> tuple[str, bytes]:
    """Input `number` of the run with FUZZ_SEED: its story, for the failure's message, and its bytes."""
    rng = random.Random(f"{FUZZ_SEED}/{number}")
    name, original = rng.choice(seeds)
    data = bytearray(original)
    story = [f"FUZZ_SEED={FUZZ_SEED} input {number}: {name}"]
    if rng.random() < 0.1:
        other_name, other = rng.choice(seeds)
        data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]
        story.append(f"spliced with {other_name}")
    for mutate in rng.choices(MUTATIONS, k=rng.randint(1, 4)):
        if len(data) > 1:
            mutate(data, rng)
            story.append(mutate.__name__)
    return ", ".join(story), bytes(data[:LARGEST])
