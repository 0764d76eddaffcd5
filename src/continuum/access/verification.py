"""Verifying the audit trail: every row's own seal, and the chain of signed checkpoints over all of them.

Up to the last checkpoint, whatever was changed, removed, added or exchanged is named. Rows after it are checked
by their own seals only: a change is found, a removal is not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from continuum.access.audit import seal
from continuum.access.checkpoint import COLUMNS, NOTHING_BEFORE, Checker, Checkpoint, Head, HeadUnreadable, Last
from continuum.kernel.clock import MAX_US
from continuum.kernel.limits import VERIFY_PAGE_ROWS, VERIFY_PROBLEMS_MAX
from continuum.record.read import Connection

FIELDS = (
    "at", "request", "actor", "role", "purpose", "source", "interaction", "outcome", "type", "target", "query",
    "patient_id", "detail",
)  # fmt: skip
"""What a row's own seal covers, in its order; the further patients come after them."""
_FIRST = -(2**63)
_LAST = MAX_US
_ROWS = f"""
SELECT a.seq, {", ".join("a." + name for name in FIELDS)}, a.mac,
       ARRAY(SELECT p.patient_id FROM record.audit_patient p WHERE p.seq = a.seq) AS patients
FROM record.audit a WHERE a.seq >= $1 AND a.seq <= $2 ORDER BY a.seq LIMIT $3
"""
_LINKS = """
SELECT DISTINCT p.seq FROM record.audit_patient p
WHERE NOT EXISTS (SELECT 1 FROM record.audit a WHERE a.seq = p.seq) ORDER BY 1 LIMIT $1
"""
_NEXT = f"SELECT {COLUMNS} FROM record.audit_checkpoint WHERE number > $1 ORDER BY number LIMIT 1"

Progress = Callable[[int], None]
"""Called with how many rows are checked."""


@dataclass(slots=True)
class Report:
    """What a verification found. rows: checked ones, `unsealed` of them after the last checkpoint.

    sealed_us: when the last checkpoint was made, None without one. waiting_us: the time between the first and the
    last row after it. problems: in plain words, VERIFY_PROBLEMS_MAX at most; `found` counts them all.
    """

    rows: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    sealed_us: int | None = None
    waiting_us: int = 0
    found: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """One more."""
        self.found += 1
        if len(self.problems) < VERIFY_PROBLEMS_MAX:
            self.problems.append(problem)


class Verification:
    """One pass over the trail. `audit_secret` is the key of the rows' seals; `checker` knows the signing key.

    former: keys of the seals before, each with the last row that it sealed; b"" for one that was lost: rows under it
    are held against their checkpoints only.
    """

    def __init__(
        self,
        conn: Connection,
        audit_secret: bytes,
        checker: Checker,
        head: Head,
        progress: Progress = lambda _: None,
        *,
        former: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        self._conn = conn
        self._secret = audit_secret
        self._former = sorted(former)
        self._checker = checker
        self._head = head
        self._progress = progress
        self._kept: Last | None = None
        self._report = Report()
        self._unchained: list[int] = []

    async def run(self, *, newest: int | None = None) -> Report:
        """Verifies everything, or the `newest` checkpoints and what comes after them."""
        self._report = Report()
        try:
            # Read before the database: a checkpoint made meanwhile must not look like one that is missing.
            self._kept = self._head.read()
        except HeadUnreadable as error:
            self._kept = None
            self._report.add(str(error))
        number, next_seq, previous = await self._begin(newest)
        trusted = True
        if newest is None or number == 0:
            await self._rows(_FIRST, 0, {})
            await self._links()
        while True:
            rows = await self._conn.fetch(_NEXT, number)
            if not rows:
                break
            checkpoint = Checkpoint.of(rows[0])
            genuine = self._checker.is_genuine(checkpoint)
            self._judge(checkpoint, number, genuine=genuine)
            if genuine:
                if trusted and number + 1 == checkpoint.number:
                    self._follows(checkpoint, next_seq, previous)
                if checkpoint.first_seq > next_seq:
                    await self._rows(next_seq, checkpoint.first_seq - 1, None)
                await self._rows(checkpoint.first_seq, checkpoint.last_seq, dict(checkpoint.rows()))
                next_seq = max(next_seq, checkpoint.last_seq + 1)
            number, previous, trusted = checkpoint.number, checkpoint.digest, genuine
        if self._kept is not None and self._kept.number > number:
            missing = _span("Checkpoint", number + 1, self._kept.number, "is", "are")
            until = f"the trail went to row {self._kept.last_seq}, as {self._head.path} keeps"
            self._report.add(f"{missing} missing at the end: {until}.")
        before = self._report.rows
        self._unchained = []
        await self._rows(next_seq, _LAST, None)
        self._report.unsealed = self._report.rows - before
        self._report.waiting_us = max(self._unchained, default=0) - min(self._unchained, default=0)
        return self._report

    async def _begin(self, newest: int | None) -> tuple[int, int, bytes]:
        """(number of the last checkpoint that is passed over, the seq after it, its digest)."""
        if newest is not None:
            rows = await self._conn.fetch(
                f"SELECT {COLUMNS} FROM record.audit_checkpoint ORDER BY number DESC OFFSET $1 LIMIT 1", newest
            )
            if rows:
                passed = Checkpoint.of(rows[0])
                return passed.number, passed.last_seq + 1, passed.digest
        return 0, 1, NOTHING_BEFORE

    def _judge(self, checkpoint: Checkpoint, number: int, *, genuine: bool) -> None:
        """One link by itself, and whether those between it and the one before are there."""
        report, name = self._report, f"Checkpoint {checkpoint.number}"
        report.checkpoints += 1
        report.sealed_us = checkpoint.at
        if checkpoint.number != number + 1:
            report.add(_span("Checkpoint", number + 1, checkpoint.number - 1, "is missing.", "are missing."))
        if not genuine:
            report.add(f"{name} was changed: its signature does not fit.")
        kept = self._kept
        if kept is not None and kept.number == checkpoint.number and kept.digest != checkpoint.digest:
            report.add(f"{name} is another one than {self._head.path} keeps.")

    def _follows(self, checkpoint: Checkpoint, next_seq: int, previous: bytes) -> None:
        if checkpoint.previous != previous or checkpoint.first_seq != next_seq:
            before = f"checkpoint {checkpoint.number - 1}, which was exchanged" if checkpoint.number > 1 else "nothing"
            self._report.add(f"Checkpoint {checkpoint.number} does not go on from {before}.")

    async def _rows(self, first: int, last: int, sealed: dict[int, bytes] | None) -> None:
        """Checks the rows of a range, page by page, against what a checkpoint says; None: nothing says anything."""
        known = sealed or {}
        seen: set[int] = set()
        owners = {mark: seq for seq, mark in known.items()}
        begin = first
        while begin <= last:
            rows = await self._conn.fetch(_ROWS, begin, last, VERIFY_PAGE_ROWS)
            for row in rows:
                seq = row["seq"]
                mark = known.get(seq)
                seen.add(seq) if mark is not None else None
                self._row(row, mark, chained=sealed is not None, owners=owners)
            self._report.rows += len(rows)
            self._progress(self._report.rows)
            if len(rows) < VERIFY_PAGE_ROWS:
                break
            begin = rows[-1]["seq"] + 1
        for low, high in _runs(seq for seq in known if seq not in seen):
            self._report.add(_span("Row", low, high, "was removed.", "were removed."))

    def _row(self, row: Mapping[str, Any], mark: bytes | None, *, chained: bool, owners: Mapping[bytes, int]) -> None:
        seq, mac = row["seq"], row["mac"]
        secret = next((one for until, one in self._former if seq <= until), self._secret)
        fits = not secret or _fits(secret, row)
        if chained and mark is None:
            origin = f" (a copy of row {owners[mac[:8]]})" if mac[:8] in owners else ""
            self._report.add(f"Row {seq} was added later{origin}: the checkpoint over it does not know it.")
        elif not fits:
            self._report.add(f"Row {seq} was changed: its seal does not fit what it says.")
        elif mark is not None and mac[:8] != mark:
            origin = (
                f"what row {owners[mac[:8]]} said" if mac[:8] in owners else "another thing than when it was sealed"
            )
            self._report.add(f"Row {seq} was exchanged: it says {origin}.")
        if not chained:
            self._unchained = [*self._unchained[:1], row["at"]]

    async def _links(self) -> None:
        for row in await self._conn.fetch(_LINKS, VERIFY_PROBLEMS_MAX):
            self._report.add(f"Patients are said to be touched by row {row['seq']}, which is not there.")


def _fits(secret: bytes, row: Mapping[str, Any]) -> bool:
    """Whether a row says what its seal was made over; our rows never hold the sign that seals part fields with."""
    fields: Sequence[object] = [row[name] for name in FIELDS]
    if any(isinstance(one, str) and "\x1f" in one for one in (*fields, *row["patients"])):
        return False
    return bool(seal(secret, fields, row["patients"]) == row["mac"])


def _runs(seqs: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Rising numbers as (first, last) of those that follow each other."""
    low = high = None
    for seq in seqs:
        if low is None or high is None:
            low = high = seq
        elif seq == high + 1:
            high = seq
        else:
            yield low, high
            low = high = seq
    if low is not None and high is not None:
        yield low, high


def _span(name: str, low: int, high: int, one: str, many: str) -> str:
    return f"{name} {low} {one}" if low == high else f"{name}s {low} to {high} {many}"
