"""Bulk Data Access 2.0 over REST: kick-off, status, files, deletion; and `$import` in the same manner."""

import asyncio
from pathlib import Path
from typing import Any

from continuum.access.bulk import Asked, Status
from continuum.apps.fhir_api import bulk_request
from continuum.apps.fhir_api.bulk_files import pieces
from continuum.apps.fhir_api.bulk_keeper import BulkOff, Keeper, folder_of
from continuum.apps.fhir_api.compression import choose
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Header, Response
from continuum.apps.fhir_api.headers import http_date
from continuum.apps.fhir_api.outcome import information, outcome_bytes
from continuum.fhir.json import dump
from continuum.kernel.clock import instant
from continuum.kernel.errors import Gone, Issue
from continuum.kernel.limits import BULK_DOWNLOAD_TIMEOUT_S, BULK_KEPT_S

JSON: Header = (b"content-type", b"application/json")
WAIT_S = 1
"""What `Retry-After` asks of a client that looks again."""


class Bulk:
    """The handlers of bulk work; `keeper` is None where the server has no folder for files."""

    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper

    @property
    def keeper(self) -> Keeper:
        """Who works on the jobs. Raises BulkOff."""
        if self._keeper is None:
            raise BulkOff("This server has no folder for the files of exports and imports, so it offers neither.")
        return self._keeper

    async def export(self, x: Exchange) -> Response:
        """Kick-off of an export of the system, of all patients or of a Group's."""
        x.negotiate()
        posted = x.method == "POST"
        params = bulk_request.parameters_of(await x.resource()) if posted else x.params()
        kind = x.target.resource_type
        level = {"Patient": "patient", "Group": "group"}.get(kind, "system")
        asked = Asked(url=_url(x), level=level, group=x.target.id, base=x.base.decode())
        keeper = self.keeper
        asked = bulk_request.export(asked, params, lenient=x.prefer.lenient, posted=posted)
        job = await x.session.bulk.export(asked)
        keeper.wake()
        return _started(x, job.id, "The export was started; its status is at Content-Location.")

    async def import_(self, x: Exchange) -> Response:
        """Kick-off of an import of NDJSON files by their URLs."""
        x.negotiate()
        keeper = self.keeper
        asked = Asked(url=_url(x), base=x.base.decode())
        asked = bulk_request.import_(asked, await x.resource(), keeper.orders.allowed)
        job = await x.session.bulk.import_(asked)
        keeper.wake()
        return _started(x, job.id, "The import was started; its status is at Content-Location.")

    async def status(self, x: Exchange) -> Response:
        """202 while it is worked on, then the manifest, or why there is none."""
        x.negotiate()
        x.view()
        found = await x.session.bulk.status(x.target.id)
        if found.failed:
            words = found.job.outcome or "The job failed."
            return Response(500, outcome_bytes((Issue("processing", words),)), [CONTENT_TYPE])
        if not found.completed:
            headers: list[Header] = [
                (b"x-progress", _progress(found).encode()),
                (b"retry-after", b"%d" % WAIT_S),
            ]
            return Response(202, b"", headers)
        ended_us = found.job.ended or 0
        expires = http_date(ended_us + BULK_KEPT_S * 1_000_000)
        return Response(200, dump(manifest(found, x.base.decode())), [JSON, (b"expires", expires)])

    async def cancel(self, x: Exchange) -> Response:
        """Stops a job, or removes the files of a finished one."""
        x.negotiate()
        x.view()
        await x.session.bulk.cancel(x.target.id)
        if self._keeper is not None:
            self._keeper.wake()
            await self._keeper.clear(x.target.id)
        return Response(202, information("The job and its files are removed."), [CONTENT_TYPE])

    async def file(self, x: Exchange) -> Response:
        """One file of a completed job."""
        x.view()
        file = await x.session.bulk.file(x.target.id, x.target.file)
        path: Path = folder_of(self.keeper.orders.folder, x.target.id) / file.name
        if not await asyncio.to_thread(_holds, path, file.bytes):
            raise Gone("The file is no longer there; start the export again.")
        headers: list[Header] = [(b"content-type", bulk_request.NDJSON.encode()), (b"vary", b"accept-encoding")]
        if x.method == "HEAD":
            return Response(200, b"", [*headers, (b"content-length", b"%d" % file.bytes)])
        encoding = choose(x.headers.get(b"accept-encoding", b""))
        if encoding:
            headers.append((b"content-encoding", encoding))
        else:
            headers.append((b"content-length", b"%d" % file.bytes))
        stream = pieces(path, file.bytes, encoding)
        return Response(200, headers=headers, stream=stream, patience_s=BULK_DOWNLOAD_TIMEOUT_S)


def _holds(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size >= size


def _url(x: Exchange) -> str:
    """The address of the kick-off, as the client sent it."""
    kind, group = x.target.resource_type, x.target.id
    path = "/".join(part for part in (kind, group, f"${x.target.route.interaction}") if part)
    query = x.query.decode("latin-1")
    return f"{x.base.decode()}/{path}" + (f"?{query}" if query else "")


def _started(x: Exchange, job_id: str, words: str) -> Response:
    where = b"%b/_bulk/%b" % (x.base, job_id.encode())
    return Response(202, information(words), [CONTENT_TYPE, (b"content-location", where)])


def _progress(found: Status) -> str:
    """At most 100 characters (Bulk Data Access 2.0, X-Progress)."""
    done = found.progress
    waits = "" if found.held else "waiting for a worker" if found.job.attempt else "waiting for its turn"
    if found.job.kind == "import":
        return waits or "loading"
    if not done.total:
        return waits or "preparing"
    share = f"{100 * done.done // done.total}% done, {done.resources} resources"
    return f"{share}, {waits}" if waits else share


def manifest(found: Status, base: str) -> dict[str, Any]:
    """The manifest of a completed job."""
    job = found.job
    listed: dict[str, list[dict[str, Any]]] = {"output": [], "deleted": [], "error": []}
    for file in found.files:
        url = f"{base}/_bulk/{job.id}/{file.name}"
        listed[file.category].append({"type": file.type, "url": url, "count": file.lines})
    if not listed["deleted"]:
        del listed["deleted"]
    return {
        "transactionTime": instant(job.as_of),
        "request": found.asked.url,
        "requiresAccessToken": True,
        **listed,
    }
