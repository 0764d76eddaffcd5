"""How common each key is, from PostgreSQL's own statistics, so that the planner can choose its driver.

PostgreSQL knows the most common elements of `record.search.keys`; what is not among them is rare. The figures
are read once in a while and only steer: a wrong one costs time, never an answer.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from continuum.kernel.limits import STATISTICS_AGE_S
from continuum.record.read import Connection


@dataclass(slots=True)
class Statistics:
    """Rows in record.search, their share by type number, and the share of all rows that hold each common key."""

    rows: float = 0.0
    types: Mapping[int, float] = field(default_factory=dict)
    keys: Mapping[int, float] = field(default_factory=dict)
    rarest: float = 0.0
    """The share of the least common key that is known; an unknown key is at most that common."""
    read_at: float = float("-inf")

    def rows_of(self, type_id: int) -> float:
        """The estimated rows of a type."""
        return self.rows * self.types.get(type_id, 0.001)

    def rows_with(self, key: int) -> float:
        """The estimated rows that hold a key."""
        return self.rows * self.keys.get(key, self.rarest / 2)

    @property
    def stale(self) -> bool:
        """Whether it is time to read them again."""
        return time.monotonic() - self.read_at > STATISTICS_AGE_S


async def read_statistics(conn: Connection) -> Statistics:
    """Reads the planner's figures; of a database that was never analysed they are all small."""
    size = await conn.fetchrow("SELECT reltuples FROM pg_class WHERE oid = 'record.search'::regclass")
    found = Statistics(rows=max(float(size["reltuples"]), 0.0), read_at=time.monotonic())
    for row in await conn.fetch(
        """
        SELECT attname, n_distinct, most_common_freqs AS freqs, most_common_elem_freqs AS elem_freqs,
               CASE attname WHEN 'type' THEN most_common_vals::text::bigint[]
                            ELSE most_common_elems::text::bigint[] END AS found
        FROM pg_stats WHERE schemaname = 'record' AND tablename = 'search' AND attname IN ('type', 'keys')
        """
    ):
        if row["found"] is None:
            continue
        # The three figures after the elements' own are the smallest, the largest and the share of nulls.
        shares = row["freqs"] if row["attname"] == "type" else row["elem_freqs"][: len(row["found"])]
        if row["attname"] == "type":
            found.types = dict(zip(row["found"], shares, strict=True))
        else:
            found.keys = dict(zip(row["found"], shares, strict=True))
            found.rarest = min(shares, default=0.0)
    return found
