"""Titles are found as written, whatever their case and accents, and by words with typing errors."""

import random
import string

import numpy as np
import pytest

from app.spelling import LONGEST, Vocabulary, tolerated
from app.titles import MOST_WORDS, Titles, fold


def distance(one: bytes, other: bytes) -> int:
    """Optimal string alignment, by its definition."""
    table = [[max(i, j) if not min(i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@pytest.mark.parametrize("seed", range(8))
def test_the_words_found_are_those_within_the_edits_tolerated(seed: int) -> None:
    draw = random.Random(seed)
    words = sorted({"".join(draw.choices("abcé", k=draw.randint(1, 9))).encode() for _ in range(400)})
    vocabulary = Vocabulary(words)
    for _ in range(40):
        word = "".join(draw.choices("abcé", k=draw.randint(1, 9))).encode()
        numbers, distances = vocabulary.near(word)
        expected = {known: distance(word, known) for known in words if distance(word, known) <= tolerated(word)}
        assert {words[number]: int(d) for number, d in zip(numbers, distances, strict=True)} == expected, (seed, word)
        assert distances.tolist() == sorted(distances.tolist(), reverse=True)


def test_very_long_words_are_found_by_themselves_only() -> None:
    long = b"x" * (LONGEST + 1)
    vocabulary = Vocabulary([b"short", long, long + b"y"])
    assert [array.tolist() for array in vocabulary.near(long)] == [[1], [0]]
    assert vocabulary.near(b"z" * 200)[0].tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_a_text_is_found_in_just_the_titles_that_have_it(seed: int) -> None:
    draw = random.Random(seed)
    written = ["".join(draw.choices("abcÀ é  _%\\", k=draw.randint(0, 12))) for _ in range(300)]
    titles = Titles(written)
    for text in ["a", "B", "é", "à", "%", "_", "\\", "ab", "a b", "bca", *written[:30]]:
        if not fold(text):
            continue
        found = titles.written(text)[titles.numbers]
        assert found.tolist() == [fold(text) in fold(title) for title in written], (seed, text)


@pytest.mark.parametrize("text", ["", " ", "\u0301", "x" * 500, "\n", "\udcff"])
def test_a_text_that_no_title_can_have_is_found_nowhere(text: str) -> None:
    titles = Titles(["One", "", "Two"])
    assert not titles.written(text).any()
    assert not titles.likeness(text).any()


def test_titles_are_numbered_in_alphabetical_order_and_equal_ones_alike() -> None:
    titles = Titles(["banana", "Ápple", "apple", "Cherry", "  apple "])
    assert titles.numbers.tolist() == [1, 0, 0, 2, 0]


def test_a_title_is_the_more_alike_the_more_of_the_words_it_has() -> None:
    names = ["Hey Jude", "Hey Jude Beatles", "Yesterday", "Beatles - Yesterday"]
    titles = Titles(names)

    def alike(text: str) -> dict[str, float]:
        found = titles.likeness(text)[titles.numbers]
        return {name: round(float(value), 2) for name, value in zip(names, found, strict=True) if value}

    assert alike("yestreday beetles") == {"Beatles - Yesterday": 0.88}
    assert alike("hey jude") == {"Hey Jude": 1, "Hey Jude Beatles": 1}
    assert alike("jude") == {"Hey Jude": 1, "Hey Jude Beatles": 1}
    assert alike("completely otherwise") == {}


def test_a_question_of_very_many_words_is_answered_by_its_first() -> None:
    words = ["".join(pair) for pair in zip(string.ascii_lowercase, string.ascii_lowercase[::-1], strict=True)]
    titles = Titles([" ".join(words[:MOST_WORDS])])
    assert titles.likeness(" ".join(words)).tolist() == [1]


def test_no_titles_at_all_are_no_fault() -> None:
    titles = Titles([])
    assert titles.written("x").tolist() == np.array([]).tolist() == titles.likeness("x").tolist()
