"""The chain over the audit trail: what is sealed cannot be touched unseen, whoever owns the database."""

import asyncio
import contextlib
import json
import re
import secrets
import time

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.access.actor import Actor
from continuum.access.audit import Auditor, Context
from continuum.access.checkpoint import Head, Signer
from continuum.access.sealing import ChainBroken, Sealer
from continuum.access.verification import Verification
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address

CONTEXT = Context(Actor("tester", "administrator"), "HSYSADMIN", "test", "r-1")
SECRET = bytes(range(32))
SIGNER = Signer(bytes(range(1, 33)))


class Waiting(Sealer):
    """A sealer that does not leave rows for its next turn: other tests write in the same server."""

    async def seal(self):
        until_s = time.monotonic() + 60
        while True:
            rows = await super().seal()
            if rows or self._horizon is None or time.monotonic() > until_s:
                return rows
            await asyncio.sleep(0.005)


class Trail:
    """A database with an audit trail, its sealer, and somebody who may do anything in the database."""

    def __init__(self, pool, owner, folder, signer=SIGNER):
        self.pool, self.owner = pool, owner
        self.auditor = Auditor(SECRET, pool.connection, now_us)
        self.head = Head(folder, signer.checker)
        self.signer = signer

    def sealer(self, kind=Waiting):
        return kind(self.pool.connection, self.signer, self.head, now_us)

    async def act(self, *targets, patients=()):
        for target in targets:
            await self.auditor.write(self.auditor.row(CONTEXT, "read", target=target, patients=patients))

    async def problems(self, newest=None):
        report = await self.report(newest)
        return report.problems

    async def report(self, newest=None):
        checker = self.signer.checker
        return await Verification(self.owner, SECRET, checker, self.head).run(newest=newest)

    async def checkpoints(self):
        return await self.owner.fetch("SELECT * FROM record.audit_checkpoint ORDER BY number")


@pytest.fixture
async def trail(pool, database_owner, tmp_path):
    owner = await asyncpg.connect(**Address.from_url(database_owner).connect)
    yield Trail(pool, owner, tmp_path / "audit")
    await owner.close()


async def test_what_is_sealed_and_untouched_has_no_problems(trail):
    await trail.act("a", "b", patients=["one", "two", "three"])
    assert await trail.sealer().seal() == 2
    await trail.act("c")
    assert await trail.sealer().seal() == 1
    await trail.act("d")
    report = await trail.report()
    assert report.problems == []
    assert (report.rows, report.unsealed, report.checkpoints) == (4, 1, 2)
    assert report.sealed_us is not None


async def test_an_empty_trail_has_nothing_to_seal_and_no_problems(trail):
    assert await trail.sealer().seal() == 0
    assert await trail.problems() == []
    assert await trail.checkpoints() == []


async def test_a_sealer_without_new_rows_makes_no_checkpoint(trail):
    await trail.act("a")
    sealer = trail.sealer()
    await sealer.seal()
    assert await sealer.seal() == 0
    assert await trail.sealer().seal() == 0
    assert len(await trail.checkpoints()) == 1


async def test_a_row_that_commits_late_is_waited_for_and_not_overtaken(trail, database):
    slow = await asyncpg.connect(**Address.from_url(database).connect)
    row = trail.auditor.row(CONTEXT, "create", target="slow")
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("SELECT record.write_audit($1::record.audit_entry[], false)", [row])
        await trail.act("quick")
        sealer = trail.sealer(Sealer)
        assert await sealer.seal() == 0
        assert await sealer.seal() == 0
        await transaction.commit()
        assert await trail.sealer().seal() == 2
    finally:
        await slow.close()
    assert await trail.problems() == []


async def test_many_writers_at_once_never_slip_a_row_under_a_checkpoint(trail):
    sealer = trail.sealer()
    done = asyncio.Event()

    async def write(number):
        for turn in range(30):
            with contextlib.suppress(ValueError):
                async with trail.pool.connection() as conn, conn.transaction():
                    row = trail.auditor.row(CONTEXT, "read", target=f"{number}-{turn}", patients=["p", f"q{turn}"])
                    await conn.execute("SELECT record.write_audit($1::record.audit_entry[], true)", [row])
                    if (number + turn) % 5 == 0:
                        raise ValueError("rolled back: its number stays unused")

    async def seal():
        while not done.is_set():
            await sealer.seal()

    sealing = asyncio.create_task(seal())
    await asyncio.gather(*(write(number) for number in range(8)))
    done.set()
    await sealing
    while await sealer.seal():
        pass
    report = await trail.report()
    assert report.problems == []
    assert (report.rows, report.unsealed) == (8 * 30 * 4 // 5, 0)
    assert report.checkpoints > 1


async def test_two_servers_on_one_database_make_one_chain(trail, tmp_path):
    one, other = (
        trail.sealer(),
        Waiting(trail.pool.connection, SIGNER, Head(tmp_path / "elsewhere", SIGNER.checker), now_us),
    )
    for turn in range(4):
        await trail.act(f"{turn}")
        await asyncio.gather(one.seal(), other.seal())
    await trail.act("last")
    await other.seal()
    await one.seal()
    report = await trail.report()
    assert (report.problems, report.unsealed) == ([], 0)
    assert [row["number"] for row in await trail.checkpoints()] == list(range(1, report.checkpoints + 1))


async def test_the_role_that_answers_requests_cannot_change_a_checkpoint(trail, pool):
    await trail.act("a")
    await trail.sealer().seal()
    async with pool.connection() as conn:
        for statement in ("UPDATE record.audit_checkpoint SET at = 0", "DELETE FROM record.audit_checkpoint"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE record.audit SET actor = 'somebody else' WHERE seq = 3", ["Row 3 was changed"]),
        ("UPDATE record.audit SET detail = '' WHERE seq = 3", ["Row 3 was changed"]),
        ("DELETE FROM record.audit WHERE seq = 3", ["Row 3 was removed", "touched by row 3"]),
        ("DELETE FROM record.audit WHERE seq IN (2, 3, 6)", ["Rows 2 to 3 were removed", "Row 6 was removed"]),
        ("UPDATE record.audit SET seq = 99 WHERE seq = 3", ["Row 3 was removed"]),
        ("DELETE FROM record.audit_patient WHERE seq = 3", ["Row 3 was changed"]),
        ("INSERT INTO record.audit_patient VALUES ('stranger', 5)", ["Row 5 was changed"]),
        ("INSERT INTO record.audit_patient VALUES ('stranger', 500)", ["touched by row 500"]),
        ("DELETE FROM record.audit_checkpoint WHERE number = 1", ["Checkpoint 1 is missing"]),
        ("DELETE FROM record.audit_checkpoint WHERE number = 2", ["Checkpoint 2 is missing at the end"]),
        ("DELETE FROM record.audit_checkpoint", ["Checkpoints 1 to 2 are missing at the end"]),
        ("UPDATE record.audit_checkpoint SET entries = '' WHERE number = 1", ["Checkpoint 1 was changed"]),
        ("UPDATE record.audit_checkpoint SET at = at + 1 WHERE number = 2", ["Checkpoint 2 was changed"]),
        ("UPDATE record.audit_checkpoint SET last_seq = 7 WHERE number = 1", ["Checkpoint 1 was changed"]),
    ],
)
async def test_damage_is_named(trail, damage, words):
    await trail.act("a", "b", "c", patients=["p", "q"])
    await trail.sealer().seal()
    await trail.act("d", "e", "f", patients=["p"])
    await trail.sealer().seal()
    await trail.owner.execute("ALTER TABLE record.audit ALTER COLUMN seq SET GENERATED BY DEFAULT")
    await trail.owner.execute(damage)
    problems = await trail.problems()
    assert len(problems) >= len(words)
    for one in words:
        assert any(one in problem for problem in problems), (one, problems)


async def test_two_rows_that_changed_places_are_both_named(trail):
    await trail.act("a", "b", "c")
    await trail.sealer().seal()
    await trail.owner.execute(
        "UPDATE record.audit a SET at = b.at, target = b.target, mac = b.mac FROM record.audit b"
        " WHERE (a.seq, b.seq) IN ((1, 3), (3, 1))"
    )
    assert await trail.problems() == [
        "Row 1 was exchanged: it says what row 3 said.",
        "Row 3 was exchanged: it says what row 1 said.",
    ]


async def test_a_copy_of_a_row_in_a_gap_of_the_numbers_is_named(trail):
    await trail.act("a")
    await trail.owner.execute("SELECT nextval('record.audit_seq_seq')")
    await trail.act("b")
    await trail.sealer().seal()
    await _copy(trail.owner, 1, 2)
    assert await trail.problems() == [
        "Row 2 was added later (a copy of row 1): the checkpoint over it does not know it."
    ]


async def test_rows_cut_off_with_their_checkpoints_are_missed_because_the_end_is_kept_outside(trail):
    await trail.act("a", "b")
    await trail.sealer().seal()
    await trail.act("c", "d")
    await trail.sealer().seal()
    await trail.owner.execute("DELETE FROM record.audit WHERE seq > 2")
    await trail.owner.execute("DELETE FROM record.audit_checkpoint WHERE number = 2")
    (problem,) = await trail.problems()
    assert problem.startswith("Checkpoint 2 is missing at the end: the trail went to row 4")
    await trail.act("e")
    with pytest.raises(ChainBroken, match="does not reach checkpoint 2"):
        await trail.sealer().seal()
    assert len(await trail.checkpoints()) == 1


async def test_a_chain_made_anew_with_another_key_is_no_chain(trail):
    await trail.act("a", "b")
    await trail.sealer().seal()
    kept = trail.head.path.read_text()
    await trail.owner.execute("TRUNCATE record.audit_checkpoint")
    await trail.owner.execute("DELETE FROM record.audit WHERE seq = 1")
    trail.head.path.unlink()
    forger = Signer(secrets.token_bytes(32))
    await Waiting(trail.pool.connection, forger, Head(trail.head.path.parent, forger.checker), now_us).seal()
    assert any("head is damaged" in problem for problem in await trail.problems())
    trail.head.path.write_text(kept)
    problems = await trail.problems()
    assert any("Checkpoint 1 was changed" in problem for problem in problems)
    assert any("is another one than" in problem for problem in problems)


async def test_a_head_that_fell_behind_is_brought_up_again(trail):
    await trail.act("a")
    await trail.sealer().seal()
    behind = trail.head.path.read_text()
    for target in ("b", "c"):
        await trail.act(target)
        await trail.sealer().seal()
    trail.head.path.write_text(behind)  # as after a power cut between the commit and the file
    await trail.act("d")
    assert await trail.sealer().seal() == 1
    assert json.loads(trail.head.path.read_text())["number"] == 4
    assert await trail.problems() == []


async def test_the_newest_checkpoints_can_be_verified_alone(trail):
    for target in "abcde":
        await trail.act(target)
        await trail.sealer().seal()
    await trail.owner.execute("UPDATE record.audit SET target = 'x' WHERE seq = 2")
    report = await trail.report(newest=2)
    assert (report.problems, report.checkpoints, report.rows) == ([], 2, 2)
    assert await trail.problems(newest=4) == ["Row 2 was changed: its seal does not fit what it says."]


TEXT = st.text("abc\x1e-", max_size=4)
CHANGES = st.one_of(
    st.tuples(
        st.just("change"), st.integers(1, 12),
        st.sampled_from(["at", "outcome", "type", "request", "actor", "role", "purpose", "source", "interaction",
                         "target", "query", "patient_id", "detail", "mac"]),
    ),
    st.tuples(st.just("remove"), st.integers(1, 12)),
    st.tuples(st.just("copy"), st.integers(1, 12), st.sampled_from([13, 14, 0, -5])),
    st.tuples(st.just("exchange"), st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.just("link"), st.integers(1, 12)),
    st.tuples(st.just("unlink"), st.integers(1, 12)),
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])  # each is rolled back
@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
@pytest.mark.requirement("V16.4.2")
async def test_whatever_is_done_to_sealed_rows_is_found_and_named(long_trail, changes):
    owner = long_trail.owner
    before = await _content(owner)
    transaction = owner.transaction()
    await transaction.start()
    try:
        for change in changes:
            with contextlib.suppress(asyncpg.UniqueViolationError):
                async with owner.transaction():
                    await _damage(owner, *change)
        after = await _content(owner)
        touched = {seq for seq in before.keys() | after.keys() if before.get(seq) != after.get(seq)}
        problems = await long_trail.problems()
    finally:
        await transaction.rollback()
    named = set()
    for problem in problems:
        low, high = re.search(r"[Rr]ows? (-?\d+)(?: to (\d+))?", problem).groups()
        named.update(range(int(low), int(high or low) + 1))
    assert named == touched


@pytest.fixture
async def long_trail(pool, database_owner, tmp_path):
    """Rows 1 to 12 under checkpoints of three and more, with unused numbers 13 and 14 under the last."""
    owner = await asyncpg.connect(**Address.from_url(database_owner).connect)
    trail = Trail(pool, owner, tmp_path / "audit")
    for turn in range(4):
        await trail.act("x", patients=["p", "q"])
        await trail.act("y", f"z{turn}", patients=["p"])
        if turn == 3:
            await owner.execute("SELECT nextval('record.audit_seq_seq'), nextval('record.audit_seq_seq')")
        await trail.sealer().seal()
    await owner.execute("ALTER TABLE record.audit ALTER COLUMN seq SET GENERATED BY DEFAULT")
    yield trail
    await owner.close()


async def _content(owner):
    rows = await owner.fetch("SELECT a.* FROM record.audit a")
    links = await owner.fetch("SELECT * FROM record.audit_patient ORDER BY 1, 2")
    content = {row["seq"]: [tuple(row)] for row in rows}
    for link in links:
        content.setdefault(link["seq"], []).append(link["patient_id"])
    return content


async def _damage(owner, kind, seq, more=None):
    if kind == "change":
        value = {"mac": "sha256(mac)", "at": "at + 1", "outcome": "outcome + 4", "type": "coalesce(type, 0) + 1"}
        changed = {"mac": "substring(sha256(mac) FOR 16)"}.get(more) or value.get(more, f"coalesce({more}, '') || 'x'")
        await owner.execute(f"UPDATE record.audit SET {more} = {changed} WHERE seq = $1", seq)
    elif kind == "remove":
        await owner.execute("DELETE FROM record.audit WHERE seq = $1", seq)
    elif kind == "copy":
        await _copy(owner, seq, more)
    elif kind == "exchange":
        for table in ("audit", "audit_patient"):
            await owner.execute(f"UPDATE record.{table} SET seq = -99 WHERE seq = $1", seq)
            await owner.execute(f"UPDATE record.{table} SET seq = $1 WHERE seq = $2", seq, more)
            await owner.execute(f"UPDATE record.{table} SET seq = $1 WHERE seq = -99", more)
    elif kind == "link":
        await owner.execute("INSERT INTO record.audit_patient VALUES ('stranger', $1)", seq)
    else:
        await owner.execute("DELETE FROM record.audit_patient WHERE seq = $1", seq)


async def _copy(owner, source, target):
    columns = (
        "at, request, actor, role, purpose, source, interaction, outcome, type, target, query, patient_id, detail, mac"
    )
    await owner.execute(
        f"INSERT INTO record.audit (seq, {columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT $2, {columns} FROM record.audit WHERE seq = $1",
        source, target,
    )  # fmt: skip
