"""How much of the index a statement looks at, as PostgreSQL itself counts it: cost, tested without a clock."""

import json
from collections.abc import Collection
from typing import Any

from continuum.record.read import Connection

INDEX = frozenset({"search", "string", "date", "quantity"})
"""The tables of the search index."""


def looked_at(node: dict[str, Any], tables: Collection[str] = INDEX) -> int:
    """The rows of these tables, and the entries of their indexes, that a plan with its counts has looked at."""
    own = 0
    if {node.get("Relation Name", ""), node.get("Index Name", "").partition("_")[0]} & set(tables):
        own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return own + sum(looked_at(child, tables) for child in node.get("Plans", ()))


class Counting:
    """A connection that notes what each of its statements looks at.

    small: the tables are so small here that the planner may read them whole, which says nothing of larger ones.
    """

    def __init__(self, conn: Connection, tables: Collection[str] = INDEX, *, small: bool = False) -> None:
        self._conn, self._tables, self._small = conn, tables, small
        self.looked: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Runs a statement, after it was counted."""
        await self._count(sql, values)
        return await self._conn.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """The same, for one row."""
        await self._count(sql, values)
        return await self._conn.fetchrow(sql, *values)

    async def _count(self, sql: str, values: tuple[Any, ...]) -> None:
        if not sql.lstrip().startswith(("WITH", "SELECT")) or "pg_stats" in sql:
            return
        async with self._conn.transaction():
            if self._small:
                await self._conn.execute("SET LOCAL enable_seqscan = off")
            (row,) = await self._conn.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
        self.looked.append(looked_at(json.loads(row[0])[0]["Plan"], self._tables))
