"""A PostgreSQL that is there to be used, embedded or given."""

from dataclasses import dataclass
from pathlib import Path

from continuum.runtime.postgres.address import Address


@dataclass(frozen=True, slots=True)
class Server:
    """owner: changes tables (migrations). app: answers requests. superuser: only of the embedded one.

    described: one line for a person: what it is and where its data lies. `spool` is where finished WAL files wait
    for the archive. `data_folder` is None for a given server.
    """

    owner: Address
    app: Address
    superuser: Address | None
    embedded: bool
    major: int
    described: str
    data_folder: Path | None = None
    spool: Path | None = None
