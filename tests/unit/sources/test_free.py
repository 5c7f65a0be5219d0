"""Free songs from Debian's packages: the real apt-get and dpkg-deb, on one small package."""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from midi.errors import SourceError
from midi.sources import SourceOptions, debian_package, open_source
from midi.sources.debian_package import candidate, download, licences, opened
from midi.sources.free import free_available, open_free
from midi.sources.generated_sets import SEED_FILE
from tests.unit.sources.generated_seed import seed_rows
from tests.unit.sources.songs import contents, listed, quiet

SMALL = "openttd-openmsx"
UNKNOWN = "no-such-package-of-songs"


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> SourceOptions:
    """A cache folder that has the small package, fetched over the network."""
    if not free_available():
        pytest.skip("no apt-get and dpkg-deb on this machine")
    options = SourceOptions(cache_dir=tmp_path_factory.mktemp("free"))
    try:
        open_free(options, quiet, (SMALL,))
    except SourceError as error:
        pytest.skip(f"apt cannot fetch {SMALL} here: {error}")
    return options


def test_songs_are_fetched_with_their_licences(fetched: SourceOptions) -> None:
    source = open_free(fetched, quiet, (SMALL,))
    songs = contents(source)
    assert len(songs) > 20
    assert all(key.startswith(f"{SMALL}/") and data.startswith(b"MThd") for key, data in songs.items())
    assert list(songs) == sorted(songs)
    (folder,) = fetched.cache_dir.glob(f"free-*{SMALL}")
    (entry,) = json.loads((folder / "LICENCES.json").read_text())["packages"]
    assert entry["licences"] == ["GPL-2.0"]
    assert entry["songs"] == len(songs)
    assert "GNU General Public License" in (folder / f"{SMALL}.copyright").read_text()
    assert source.description == f"free ({SMALL} {entry['version']})"
    assert not list(folder.glob("*.deb"))


def test_the_second_time_needs_neither_apt_nor_network(fetched: SourceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert listed(open_free(fetched, quiet, (SMALL,)))


def test_fetching_again_gives_the_same_bytes(fetched: SourceOptions, options: SourceOptions) -> None:
    first, second = open_free(fetched, quiet, (SMALL,)), open_free(options, quiet, (SMALL,))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path != second.path


def test_what_a_killed_fetch_left_is_not_trusted(fetched: SourceOptions, options: SourceOptions) -> None:
    whole = open_free(fetched, quiet, (SMALL,))
    half = options.cache_dir / f"{whole.path.parent.name}.part"
    half.mkdir(parents=True)
    with zipfile.ZipFile(half / "songs.zip", "w") as archive:
        archive.writestr("half.mid", b"")
    assert listed(open_free(options, quiet, (SMALL,))) == listed(whole)
    assert not half.exists()


def test_a_package_the_distribution_lacks_is_left_out_and_said_so(
    fetched: SourceOptions, options: SourceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    source = open_free(options, quiet, (UNKNOWN, SMALL))
    assert listed(source) == listed(open_free(fetched, quiet, (SMALL,)))
    assert source.description.endswith(f"; without {UNKNOWN})")
    assert UNKNOWN in caplog.text


def test_progress_is_in_bytes_of_the_package(fetched: SourceOptions, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    package = candidate(SMALL)
    assert package is not None
    path = download(package, tmp_path / "debs", lambda *report: seen.append(report))
    assert path.stat().st_size == package.size
    assert seen[-1] == (f"downloading {SMALL}", package.size, package.size)


def test_a_version_the_mirror_does_not_have_is_said_in_a_sentence(
    fetched: SourceOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian_package, "refresh_lists", lambda: False)
    gone = debian_package.DebianPackage(SMALL, "0.0-gone", "gone.deb", 10)
    with pytest.raises(SourceError, match=rf"apt-get cannot download {SMALL} \(.*0\.0-gone.*generated:1000"):
        download(gone, tmp_path, quiet)


def test_a_broken_package_is_said_in_a_sentence(fetched: SourceOptions, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"!<arch>\nnot really")
    with pytest.raises(SourceError, match="not a Debian package that can be read"), opened(tmp_path / "a.deb") as files:
        list(files)


def test_without_any_package_the_generated_songs_are_suggested(
    fetched: SourceOptions, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian_package, "refresh_lists", lambda: False)
    with pytest.raises(SourceError, match=rf"apt knows none of {UNKNOWN}.*generated:1000"):
        open_free(options, quiet, (UNKNOWN,))


def test_without_apt_the_generated_songs_are_suggested(
    options: SourceOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not free_available()
    with pytest.raises(SourceError, match=r"needs apt-get and dpkg-deb .* generated:1000"):
        open_source("free", options, quiet)


def test_licences_are_read_out_of_machine_readable_files_only() -> None:
    text = "Format: https://example.org/\n\nFiles: *\nLicense: GPL-2+\n\nLicense:  Expat \n text\n\nLicense: GPL-2+\n"
    assert licences(text) == ["GPL-2+", "Expat"]
    assert licences("This package is free.\nLicense: see below\n") == []


def test_nothing_is_installed(fetched: SourceOptions) -> None:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", SMALL]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    assert done.stdout != "installed"


def test_the_committed_seed_of_generated_songs_is_what_the_songs_give(fetched: SourceOptions) -> None:
    seed = json.loads(SEED_FILE.read_text())
    (committed,) = [entry["version"] for entry in seed["packages"] if entry["package"] == SMALL]
    package = candidate(SMALL)
    if package is None or package.version != committed:
        pytest.skip(f"this distribution has another version of {SMALL} than the seed was made of")
    wanted = [row for row in seed["songs"] if row["song"].startswith(f"{SMALL}/")]
    assert seed_rows(open_free(fetched, quiet, (SMALL,))) == wanted
