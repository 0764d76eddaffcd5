"""The configuration of the embedded PostgreSQL, written anew at each start."""

import os
import sys
from pathlib import Path

from continuum.runtime.postgres.layout import Layout
from continuum.runtime.settings import Settings

MB = 1024 * 1024
SHARED_BUFFERS_MB = (32, 8_192)
"""The least and the most memory for PostgreSQL's own cache."""


def machine_memory_mb() -> int:
    """Megabytes of memory, of the machine or of the control group that we are held in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue  # no such group, or "max"
    return total // MB


def configuration(layout: Layout, settings: Settings, major: int) -> str:
    """The text of postgresql.conf.

    What is promised stands first: nothing is answered as stored before it is on the disk. The log holds no
    values: terse messages have no DETAIL, statements and parameters are never written.
    """
    memory_mb = settings.postgres_memory_mb or machine_memory_mb() // 4
    low, high = SHARED_BUFFERS_MB
    buffers_mb = max(low, min(high, memory_mb // 2))
    values: dict[str, object] = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "unix_socket_directories": layout.sockets,
        "unix_socket_permissions": "0700",
        "port": 5432,
        "password_encryption": "scram-sha-256",
        "scram_iterations": 1024,  # the passwords are 32 random bytes: stretching adds nothing
        "max_connections": max(100, settings.workers * settings.connections + 40),
        "superuser_reserved_connections": 5,
        "shared_buffers": f"{buffers_mb}MB",
        "effective_cache_size": f"{max(buffers_mb, memory_mb * 2)}MB",
        "maintenance_work_mem": f"{max(32, min(1024, memory_mb // 8))}MB",
        "work_mem": f"{max(4, min(32, memory_mb // 64))}MB",
        "huge_pages": "try",
        "wal_level": "replica",
        "wal_buffers": "16MB",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "max_wal_senders": 4,
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": 0.9,
        "archive_mode": "on",
        "archive_command": _archive_command(layout.spool),
        "archive_timeout": f"{settings.archive_timeout_s}s" if layout.spool.is_dir() else 0,
        "jit": "off",
        "max_parallel_workers_per_gather": 0,  # a request must not take the other requests' processors
        "random_page_cost": 1.1,
        "autovacuum_vacuum_scale_factor": 0.05,
        "autovacuum_analyze_scale_factor": 0.05,
        "idle_in_transaction_session_timeout": "60s",
        "tcp_keepalives_idle": 60,
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_error_verbosity": "terse",
        "log_statement": "none",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": -1,
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }
    if major >= 18:
        values["io_method"] = "sync"  # the data is in the page cache; handing reads over costs more than it saves
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    head = "# Written by Continuum at each start. Your own values go to local.conf beside this folder.\n"
    local = layout.base / "local.conf"
    return head + "\n".join(lines) + f"\ninclude_if_exists = {_quoted(local)}\n"


def access_rules() -> str:
    """The text of pg_hba.conf: passwords for everybody, through the unix socket only."""
    return "# Written by Continuum at each start.\nlocal all all scram-sha-256\nlocal replication all scram-sha-256\n"


def _archive_command(spool: Path) -> str:
    """Copies a finished WAL file to the spool, whole and durable; succeeds doing nothing while there is none."""
    place = _shell(spool)
    sync = f"sync {place}/.%f" if sys.platform == "linux" else "sync"
    return f"test ! -d {place} || test -f {place}/%f || {{ cp %p {place}/.%f && {sync} && mv {place}/.%f {place}/%f; }}"


def _shell(path: Path) -> str:
    # PostgreSQL replaces %p and %f in the command, so a percent sign of the path is doubled.
    return "'" + str(path).replace("'", "'\\''").replace("%", "%%") + "'"


def _quoted(value: object) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
