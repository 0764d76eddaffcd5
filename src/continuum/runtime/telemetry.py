"""Logs that hold no patient data, metrics, and whether this process can serve.

A log line is JSON on standard error. Only fields that are listed here come through, and only values that name
things of the machinery: numbers, and short words without spaces. What other libraries log is kept as its template,
never with its values; of an exception, its type and the places it passed.
"""

import asyncio
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TextIO

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import LOG_TEXT_CHARS, READINESS_TIMEOUT_S
from continuum.runtime.migrate import CannotMigrate, pending
from continuum.runtime.pool import Pool

FIELDS = frozenset({
    "attempt", "bytes", "code", "duration_ms", "error", "exception", "files", "host", "interaction", "level", "lines",
    "logger", "major", "method", "outcome", "pid", "port", "request_id", "resource_type", "role", "rows", "signal",
    "state", "status", "step", "template", "timestamp", "version", "worker", "workers",
})  # fmt: skip
"""What a log line may say. Never here: names, ids of people, addresses of resources, queries, bodies, URLs."""
_WORD = re.compile(r"[A-Za-z0-9_.:/<>+-]*")
_EVENT = re.compile(r"[a-z][a-z0-9_]*")
_TEMPLATE_PARTS = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]|%%")


def _allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every field that is not listed and every value that could be somebody's."""
    kept: dict[str, Any] = {}
    name = str(event.pop("event", ""))
    kept["event"] = name if _EVENT.fullmatch(name) else "unnamed"
    withheld = 0
    for field, value in event.items():
        if field in FIELDS and (field in {"exception", "template"} or _harmless(value)):
            kept[field] = value[:LOG_TEXT_CHARS] if isinstance(value, str) and field != "exception" else value
        else:
            withheld += 1
    if withheld:
        kept["withheld"] = withheld
    return kept


def _harmless(value: object) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return True
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _exceptions(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces an exception by its type and the places it passed; its text may hold values."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, BaseException):
        raised = (type(raised), raised, raised.__traceback__)
    if isinstance(raised, tuple) and raised[0] is not None:
        frames = traceback.extract_tb(raised[2])[-8:]
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames]
        event["exception"] = [raised[0].__name__, *places]
    event.pop("stack_info", None)
    return event


class _Library(logging.Handler):
    """What libraries log through the standard library: the template of a message, never the message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        template = _TEMPLATE_PARTS.sub("…", str(record.msg)) if record.args else ""
        logger = structlog.get_logger()
        logger.log(
            record.levelno,
            "library",
            logger=record.name,
            template=template,
            lines=record.lineno,
            exc_info=record.exc_info,
        )


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Sets up logging for the process; `stream` is standard error unless given."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions,
            _allowed,
            structlog.processors.JSONRenderer(serializer=json.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Library()], force=True)


class _PoolFigures(Collector):
    """The pool as it is when it is asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Open, lent and awaited connections."""
        pool = self._pool
        for name, words, value in (
            ("connections_max", "Connections that this worker may open.", pool.size),
            ("connections_open", "Connections that this worker has open.", pool.open_count),
            ("connections_used", "Connections in use.", pool.used),
            ("connections_waiting", "Requests that wait for a connection.", pool.waiting),
        ):
            yield GaugeMetricFamily(f"continuum_postgres_{name}", words, value=value)


class Metrics:
    """The metrics of one process; register own ones with `registry`."""

    def __init__(self, pool: Pool | None = None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        if pool is not None:
            self.registry.register(_PoolFigures(pool))

    def text(self) -> bytes:
        """All metrics in the Prometheus text format 0.0.4."""
        return generate_latest(self.registry)


async def ready(pool: Pool) -> list[str]:
    """Why this process cannot serve now, in plain words; empty when it can."""
    try:
        async with asyncio.timeout(READINESS_TIMEOUT_S), pool.connection() as conn:
            facts: Mapping[str, Any] = await conn.fetchrow(
                "SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') AS read_only"
            )
            missing = await pending(conn.raw, "pre")
    except CannotMigrate as error:
        return [str(error)]
    except (TimeoutError, DomainError):
        return [f"The database did not answer in {READINESS_TIMEOUT_S:g} s."]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [f"The database does not answer ({type(error).__name__})."]
    reasons = []
    if facts["standby"]:
        reasons.append("The database is a standby and takes no writes.")
    if facts["read_only"] == "on":
        reasons.append("The database is set to read only.")
    if missing:
        labels = ", ".join(migration.label for migration in missing)
        reasons.append(f"The database lacks this release's migrations ({labels}): run `continuum migrate`.")
    return reasons
