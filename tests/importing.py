"""What tests of the import share: a target database, and reading back what lies in it."""

import gzip
import json
from pathlib import Path
from typing import Any

import asyncpg

from continuum.apps.admin.importing.run import Report, run
from continuum.apps.admin.importing.sources import files
from continuum.apps.admin.importing.work import Target
from continuum.fhir.json import parse
from continuum.record import read
from continuum.runtime.postgres.address import Address

SECRET = bytes(32)


def target(database: str, database_owner: str) -> Target:
    return Target(Address.from_url(database).connect, Address.from_url(database_owner).connect, SECRET, SECRET)


async def load(source: Path, to: Target, rejects: Path, *, workers: int = 2) -> Report:
    """Imports without a terminal."""
    return await run(files(source), to, workers=workers, rejects=rejects, progress=lambda _, __: None)


async def everything(to: Target) -> dict[str, dict[str, Any]]:
    """Every present resource by its address, without version and time."""
    conn = await asyncpg.connect(**to.owner)
    try:
        rows = await conn.fetch(f"SELECT {read.COLUMNS} FROM record.resource r WHERE NOT r.deleted")
    finally:
        await conn.close()
    return {f"{one.resource_type}/{one.id}": bare(parse(one.body or b"")) for one in map(read.stored, rows)}


async def fetch(to: Target, sql: str, *values: Any) -> list[Any]:
    conn = await asyncpg.connect(**to.owner)
    try:
        return list(await conn.fetch(sql, *values))
    finally:
        await conn.close()


def bare(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what the server says of it."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def originals(path: Path) -> dict[str, dict[str, Any]]:
    """The resources of an NDJSON file by their address."""
    text = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    found = [bare(parse(line)) for line in text.splitlines() if line.strip()]
    return {f"{one['resourceType']}/{one['id']}": one for one in found}


def said(rejects: Path) -> list[dict[str, Any]]:
    """What a reject file lists."""
    return [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
