"""Keys of the trail are replaced, or lost: each row is held against the key of its time, and against no other."""

import asyncpg
import pytest

from continuum.access.audit import Auditor
from continuum.access.checkpoint import Head, Signer
from continuum.access.tests.trails import CONTEXT, SECRET, SIGNER, Trail
from continuum.access.verification import Verification
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address
from continuum.runtime.secrets import former, load, replace

NEW, NEW_SIGNER = bytes(range(100, 132)), bytes(range(40, 72))
OLD_SIGNER = bytes(range(1, 33))


@pytest.fixture
async def changed(pool, database_owner, tmp_path):
    """A trail of two sealed rows, then both keys replaced, then two more: (trail, last row before, its checkpoint)."""
    owner = await asyncpg.connect(**Address.from_url(database_owner).connect)
    trail = Trail(pool, owner, tmp_path / "audit")
    await trail.act("a", "b")
    await trail.sealer().seal()
    until = await owner.fetchval("SELECT max(seq) FROM record.audit")
    trail.auditor = Auditor(NEW, pool.connection, now_us)
    trail.signer = Signer(NEW_SIGNER, ((1, OLD_SIGNER),))
    trail.head = Head(tmp_path / "audit", trail.signer.checker)
    await trail.act("c", "d")
    await trail.sealer().seal()
    yield trail, until
    await owner.close()


async def problems(trail, until, *, secret=SECRET, signer=OLD_SIGNER):
    checker = Signer(NEW_SIGNER, ((1, signer),)).checker
    head = Head(trail.head.path.parent, checker)
    report = await Verification(trail.owner, NEW, checker, head, former=((until, secret),)).run()
    return report.problems


async def test_rows_and_checkpoints_of_before_and_after_are_as_they_were_written(changed):
    trail, until = changed
    assert await problems(trail, until) == []
    assert len(await trail.checkpoints()) == 2


@pytest.mark.requirement("V16.4.2")
async def test_a_row_forged_with_the_old_key_after_the_change_is_named(changed):
    trail, until = changed
    old = Auditor(SECRET, trail.pool.connection, now_us)
    await old.write(old.row(CONTEXT, "read", target="forged"))
    seq = await trail.owner.fetchval("SELECT max(seq) FROM record.audit")
    assert await problems(trail, until) == [f"Row {seq} was changed: its seal does not fit what it says."]


async def test_a_checkpoint_signed_with_the_old_key_after_the_change_is_named(changed):
    trail, until = changed
    await trail.act("e")
    trail.signer, trail.head = SIGNER, Head(trail.head.path.parent.with_name("elsewhere"), SIGNER.checker)
    last = (await trail.checkpoints())[-1]
    await trail.owner.execute("DELETE FROM record.audit_checkpoint WHERE number = $1", last["number"])
    await trail.sealer().seal()
    assert any("heckpoint 2" in one for one in await problems(trail, until))


async def test_a_lost_key_leaves_what_the_checkpoints_know(changed):
    trail, until = changed
    assert await problems(trail, until, secret=b"", signer=b"") == []
    await trail.owner.execute("DELETE FROM record.audit WHERE seq = (SELECT min(seq) FROM record.audit)")
    assert any("removed" in one for one in await problems(trail, until, secret=b"", signer=b""))


def test_a_replaced_key_is_kept_with_its_number_and_a_lost_one_as_lost(tmp_path):
    before = load(tmp_path)
    replace(tmp_path, "audit", until=17)
    replace(tmp_path, "checkpoint", until=3, lost=True)
    replace(tmp_path, "token", until=None)
    after = load(tmp_path)
    assert former(tmp_path, "audit") == ((17, before.audit),)
    assert former(tmp_path, "checkpoint") == ((3, b""),)
    assert former(tmp_path, "token") == ()
    for name in ("audit", "checkpoint", "token"):
        assert getattr(after, name) != getattr(before, name)
    assert (after.record, after.identity) == (before.record, before.identity)
    assert not [path for path in (tmp_path / "keys").iterdir() if path.stat().st_mode & 0o077]
    with pytest.raises(FileExistsError):
        replace(tmp_path, "audit", until=17)
    assert load(tmp_path) == after
