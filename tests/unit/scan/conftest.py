"""Files to damage: hand-made ones that hold every feature of the format, and real ones where there are some."""

import pytest

from tests.unit.scan import samples

MOST_BYTES = 65_536


@pytest.fixture(scope="session")
def seed_files(request: pytest.FixtureRequest) -> list[tuple[str, bytes]]:
    """What the fuzzer starts from: name and bytes of each file, of moderate size."""
    try:
        real: list[tuple[str, bytes]] = request.getfixturevalue("real_midi_files")
    except pytest.skip.Exception:
        real = []
    return samples.ALL + [(name, data) for name, data in real if len(data) <= MOST_BYTES]
