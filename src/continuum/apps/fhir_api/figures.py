"""What a worker tells of itself beside its traffic, in Prometheus' text."""

from collections.abc import Sequence

from continuum.access import Access
from continuum.access.reindexing import Progress
from continuum.runtime.pool import Pool


def figures(pool: Pool, access: Access, reindexing: Sequence[Progress] = ()) -> bytes:
    """Connections to the database, whether writes are open, what waits in the spill, what is being indexed again."""
    rows, used = access.outage.spilled if access.outage is not None else (0, 1.0)
    return (
        "# HELP continuum_database_connections Connections of this worker to the database.\n"
        "# TYPE continuum_database_connections gauge\n"
        f'continuum_database_connections{{state="used"}} {pool.used}\n'
        f'continuum_database_connections{{state="free"}} {len(pool.free)}\n'
        "# HELP continuum_database_waiting Requests that wait for a connection.\n"
        "# TYPE continuum_database_waiting gauge\n"
        f"continuum_database_waiting {pool.waiting}\n"
        "# HELP continuum_writes_open Whether writes are taken: 0 while the database has no room or is read-only.\n"
        "# TYPE continuum_writes_open gauge\n"
        f"continuum_writes_open {int(access.refusal is None)}\n"
        "# HELP continuum_audit_spill_rows Audit rows in this worker's spill file, not yet in the database.\n"
        "# TYPE continuum_audit_spill_rows gauge\n"
        f"continuum_audit_spill_rows {rows}\n"
        "# HELP continuum_audit_spill_used_ratio How full the spill file is; at 1 reads are refused in an outage.\n"
        "# TYPE continuum_audit_spill_used_ratio gauge\n"
        f"continuum_audit_spill_used_ratio {used:.4f}\n"
        "# HELP continuum_reindex_rows Resources of a type that an earlier release has indexed otherwise.\n"
        "# TYPE continuum_reindex_rows gauge\n" + "".join(_reindexed(one) for one in reindexing)
    ).encode()


def _reindexed(one: Progress) -> str:
    """How many are left is not known before the first are done."""
    of_type = f'continuum_reindex_rows{{type="{one.resource_type}",state='
    left = "" if one.total is None else f'{of_type}"left"}} {max(one.total - one.done, 0)}\n'
    return f'{of_type}"done"}} {one.done}\n{left}'
