"""Which code this is, for the provenance of what it makes."""

import tomllib

from deployer import process
from deployer.errors import CommandError
from deployer.paths import ROOT


def environment() -> dict[str, str]:
    """The code's version as the parts read it: the release, and the revision in a git checkout."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        release = tomllib.load(file)["project"]["version"]
    try:
        revision = process.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]).strip()
    except (CommandError, FileNotFoundError):  # an archive of the code, or no git: the release has to do
        return {"SCALE_CODE_VERSION": release}
    return {"SCALE_CODE_VERSION": f"{release}+{revision}"}
