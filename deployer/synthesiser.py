"""The synthesiser that the site's player plays with: fetched by npm, once for each state of its lock file."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

from deployer import process
from deployer.errors import CommandError
from deployer.paths import ROOT

log = logging.getLogger(__name__)

MANIFEST = ROOT / "app" / "browser"
"""package.json names it, package-lock.json pins it by digest; npm checks that."""

SERVED = ROOT / "app" / "static" / "vendor"
FILES = ("webaudio-tinysynth.min.js", "LICENSE")
_LOCK = "package-lock.json"
_QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=10000")


def fetch(served: Path = SERVED) -> bool:
    """Have it in the folder the site serves from; False, and a site without a player, where npm cannot do that."""
    if _current(served):
        return True
    if shutil.which("npm") is None:
        log.info("There is no npm to fetch the player's synthesiser with.")
        return False
    served.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=served.parent, prefix=f".{served.name}-") as folder:
        for name in ("package.json", _LOCK):
            shutil.copy(MANIFEST / name, folder)
        try:
            process.run(["npm", "ci", f"--prefix={folder}", *_QUIETLY])
        except CommandError as error:
            log.info("The player's synthesiser cannot be fetched: %s", error)
            return False
        served.mkdir(exist_ok=True)
        # The lock file comes last: it says that the others are there.
        for path in (*(Path(folder, "node_modules", "webaudio-tinysynth", name) for name in FILES), MANIFEST / _LOCK):
            part = Path(shutil.copy(path, folder))
            os.replace(part, served / path.name)
    return True


def _current(served: Path) -> bool:
    lock = served / _LOCK
    return lock.is_file() and lock.read_bytes() == (MANIFEST / _LOCK).read_bytes()
