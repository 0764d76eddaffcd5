"""Clusters outside of a closed data folder: kept by who comes back, and never met by who begins anew."""

import asyncio
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import postgres
from continuum.runtime.doctor import examine_now
from continuum.runtime.postgres import elsewhere
from continuum.runtime.postgres.layout import OPEN_PLACES, plan
from continuum.runtime.settings import Settings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root has folders that nobody else reaches")


@pytest.fixture
def closed():
    """A folder that only root reaches; what was put elsewhere for folders in it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="continuum-closed-")).resolve()
    yield folder
    for place in OPEN_PLACES:
        for base in place.glob("continuum-*"):
            owner = elsewhere.owner_of(base)
            if owner is not None and owner.is_relative_to(folder):
                shutil.rmtree(base)
    shutil.rmtree(folder)


def settings_of(data):
    return Settings.load({}, data=str(data))


async def kept(data, value=None):
    """What the database of a data folder keeps, after a value was added."""
    async with postgres.open(settings_of(data)) as server:
        connection = await asyncpg.connect(**server.owner.connect)
        try:
            await connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
            if value is not None:
                await connection.execute("INSERT INTO kept VALUES ($1)", value)
            return [row["value"] for row in await connection.fetch("SELECT value FROM kept")]
        finally:
            await connection.close()


@pytest.mark.server
@pytest.mark.timeout(180)
def test_who_removes_the_data_folder_begins_anew_and_is_told_what_was_left(closed):
    data = closed / "data"
    assert asyncio.run(kept(data, "first")) == ["first"]
    assert asyncio.run(kept(data)) == ["first"], "whoever comes back finds it"
    before = plan(settings_of(data)).base
    assert before.parent == Path("/var/lib")
    assert asyncio.run(kept(closed / "other")) == []
    shutil.rmtree(data)
    found = {one.check: one for one in examine_now(settings_of(closed / "other"))}
    assert str(before) in found["left behind"].remedy
    assert asyncio.run(kept(data, "second")) == ["second"]
    assert plan(settings_of(data)).base != before
    assert (before / "18").is_dir(), "nothing was removed"


def test_a_renamed_folder_keeps_its_clusters_and_a_copy_gets_its_own(closed):
    first = plan(settings_of(closed / "data")).base
    (closed / "data").rename(closed / "renamed")
    assert plan(settings_of(closed / "renamed")).base == first
    assert elsewhere.owner_of(first) == closed / "renamed"
    shutil.copytree(closed / "renamed", closed / "copy")
    second = plan(settings_of(closed / "copy")).base
    assert second != first
    assert plan(settings_of(closed / "copy")).base == second
    assert plan(settings_of(closed / "renamed")).base == first


def test_an_installation_of_before_keeps_what_it_has(closed):
    data = closed / "data"
    (data / "keys").mkdir(parents=True)
    base = Path("/var/lib") / f"continuum-{elsewhere.mark(data)}"
    base.mkdir(mode=0o711)
    assert plan(settings_of(data)).base == base


def test_many_that_come_first_agree(closed):
    (closed / "data").mkdir()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: plan(settings_of(closed / "data")).base, range(16)))
    assert len(found) == 1
