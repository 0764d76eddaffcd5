"""A process that works on one bulk job: `python -m continuum.apps.fhir_api.bulk_process`, told on standard input.

Standard input stays open as long as the server lives; when it ends, so does this process, and whoever takes the job
over goes on with it. What the job's owner should hear goes to standard output.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import asyncpg

from continuum.access import exporting
from continuum.access.bulk import Asked
from continuum.apps.fhir_api.presentation import View, subset
from continuum.fhir.json import dump, parse
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import STATEMENT_TIMEOUT_S
from continuum.runtime.postgres.address import Address

REFUSED, TAKEN_AWAY = 3, 4
"""Exit codes of a process: the job cannot be done (the words are on standard output), or is no longer ours."""


def _end_with_server() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def shown(elements: tuple[str, ...], kind: str, text: bytes) -> bytes:
    """A resource with the elements that `_elements` asks for of its type; whole when it asks for none of it."""
    of_type = []
    for element in elements:
        first, dot, rest = element.partition(".")
        if not dot or not first[:1].isupper():
            of_type.append(element)
        elif first == kind:
            of_type.append(rest)
    if not of_type:
        return text
    return dump(subset(parse(text), View(elements=tuple(of_type))))


async def connect(database: str) -> asyncpg.Connection:
    """A connection for the pieces of an export."""
    arguments = Address.from_url(database).connect
    return await asyncpg.connect(
        **{
            **arguments,
            "server_settings": {
                **arguments.get("server_settings", {}),
                "application_name": exporting.APPLICATION_NAME,
                # Each piece is read with figures of its own: a range of rows, or what changed since an instant.
                "plan_cache_mode": "force_custom_plan",
                "jit": "off",
                "max_parallel_workers_per_gather": "0",
                "statement_timeout": str(int(STATEMENT_TIMEOUT_S * 1000)),
            },
        }
    )


async def work(told: dict[str, Any]) -> int:
    """Does what it is told; the exit code."""
    conn = await connect(told["database"])
    try:
        job = await exporting.find(conn, told["job"], told["attempt"])
        if job is None:
            return TAKEN_AWAY
        if job.kind == "import":
            from continuum.apps.admin.importing.job import load  # noqa: PLC0415  exports need none of it

            print(await load(conn, job, told))  # noqa: T201  for the keeper
            return 0
        elements = Asked.read(job.asked).elements
        show = (lambda kind, text: shown(elements, kind, text)) if elements else None
        done = await exporting.work(
            conn, job, keys=exporting.keys_of(bytes.fromhex(told["record_secret"])), folder=Path(told["folder"]),
            mark=f"{told['attempt']}-{told['number']}", show=show, clock=now_us,
        )  # fmt: skip
    except DomainError as error:
        print(str(error))  # noqa: T201  for the keeper
        return REFUSED
    else:
        return 0 if done else TAKEN_AWAY
    finally:
        await conn.close()


def main() -> None:
    """Reads the orders and works until the job has nothing left to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return
        line += byte
    threading.Thread(target=_end_with_server, daemon=True).start()
    sys.exit(asyncio.run(work(json.loads(line))))


if __name__ == "__main__":
    main()
