"""How a listing is cut into chunks."""

from midi.sources.base import SourceObject
from spark_jobs.planning import chunked
from spark_jobs.settings import Parameters


def _chunks(sizes: list[int], **bounds: int) -> list[list[int]]:
    objects = [SourceObject(f"{number}", size, "1") for number, size in enumerate(sizes)]
    return [[member.size for member in chunk] for chunk in chunked(objects, Parameters(**bounds))]


def test_a_chunk_is_bounded_in_bytes() -> None:
    assert _chunks([40, 40, 40, 10, 10], chunk_bytes=100) == [[40, 40], [40, 10, 10]]


def test_a_chunk_is_bounded_in_files() -> None:
    assert _chunks([1] * 5, chunk_objects=2) == [[1, 1], [1, 1], [1]]


def test_a_file_over_the_bound_is_a_chunk_of_its_own() -> None:
    assert _chunks([10, 500, 10], chunk_bytes=100) == [[10], [500], [10]]


def test_no_file_gives_no_chunk() -> None:
    assert _chunks([]) == []
