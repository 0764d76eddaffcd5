"""Clusters outside of the data folder: which folder they are in, and whose they are.

The data folder names the clusters' folder, and that folder names the data folder. So a data folder that is removed and
made again begins anew instead of meeting what it has no keys for, one that is renamed keeps what it has, and a copy
gets clusters of its own.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

NOTE = "postgres-elsewhere"
"""In the data folder: where its clusters are."""
OWNER = "data-folder"
"""Beside the clusters: whose they are."""
_NAME = "continuum-"


def mark(data: Path) -> str:
    """A short name for a data folder, from its path."""
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]


def base_of(data: Path, place: Path) -> Path:
    """The folder for the clusters of a data folder, noted in it; a new one would be in `place`."""
    noted = _noted(data)
    owner = owner_of(noted) if noted is not None else None
    if noted is not None and (owner is None or owner == data or not owner.exists()):
        return noted
    base = place / f"{_NAME}{mark(data)}"
    if base.exists() and not (owner_of(base) is None and (data / "keys").is_dir()):
        base = place / f"{_NAME}{mark(data)}-{secrets.token_hex(4)}"
    making = data / f".{NOTE}.{secrets.token_hex(8)}"
    making.write_text(f"{base}\n", encoding="utf-8")
    if noted is not None:  # that of the folder this one is a copy of
        making.replace(data / NOTE)
        return base
    try:
        os.link(making, data / NOTE)  # whoever is first at the same moment says where
    except FileExistsError:
        return _noted(data) or base
    finally:
        making.unlink(missing_ok=True)
    return base


def own(base: Path, data: Path) -> None:
    """Writes down whose a folder of clusters is."""
    if owner_of(base) != data:
        making = base / f".{OWNER}.{secrets.token_hex(8)}"
        making.write_text(f"{data}\n", encoding="utf-8")
        making.replace(base / OWNER)


def owner_of(base: Path) -> Path | None:
    """The data folder of a folder of clusters; None: it does not say."""
    return _path(base / OWNER)


def left_behind(places: Iterable[Path]) -> Iterator[Path]:
    """Folders of clusters whose data folders are gone."""
    for place in places:
        for base in sorted(place.glob(f"{_NAME}*")):
            with suppress(OSError):  # somebody else's
                owner = owner_of(base)
                if owner is not None and not owner.exists():
                    yield base


def _noted(data: Path) -> Path | None:
    return _path(data / NOTE)


def _path(file: Path) -> Path | None:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Path(text) if text else None
