"""The restore drill: back up in use, go on writing, lose everything, bring back the state of a moment."""

import asyncio
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import postgres
from continuum.runtime.backup import archive, store
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup.cipher import Damaged
from continuum.runtime.backup.key import NoKey
from continuum.runtime.backup.make import make
from continuum.runtime.backup.restore import CannotRestore, restore
from continuum.runtime.backup.store import NoBackup
from continuum.runtime.backup.verify import verify
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings

pytestmark = pytest.mark.timeout(300)
PLANTED = b"Zzyzx Planted, a patient who does not exist"


class Site:
    """An installation with a folder of backups."""

    def __init__(self, root):
        self.root = root
        self.settings = self.at("data")

    def at(self, name):
        return Settings.load({}, data=self.root / name, backup_folder=self.root / "backups", postgres_memory_mb=64)

    @property
    def key(self):
        return backup_key.own(self.settings.data, self.settings.backups)


@pytest.fixture
def site():
    root = Path(tempfile.mkdtemp(prefix="continuum-drill-"))
    root.chmod(0o711)
    yield Site(root)
    shutil.rmtree(root)


async def write(server, first, last):
    connection = await asyncpg.connect(**server.owner.connect)
    for number in range(first, last):
        await connection.execute(
            "INSERT INTO record.resource VALUES ($1, 1, $2, 1, $1, false, 0, NULL, NULL, $3)",
            number,
            f"p{number}",
            PLANTED,
        )
    await connection.close()


async def ids(settings):
    async with postgres.open(settings) as server:
        connection = await asyncpg.connect(**server.app.connect)
        try:
            return [row[0] for row in await connection.fetch("SELECT row_id FROM record.resource ORDER BY row_id")]
        finally:
            await connection.close()


async def everything_archived(server, settings):
    """Ends the present WAL file and waits until the archive has it."""
    connection = await asyncpg.connect(**server.superuser.connect)
    last = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal() - 1)")
    await connection.close()
    target = archive.present(settings).folder / f"{last}.enc"
    async with asyncio.timeout(60):
        while not target.exists():  # noqa: ASYNC110  another process's file
            await asyncio.sleep(0.05)


async def test_the_drill(site):
    async with postgres.open(site.settings) as server:
        await migrate(server.owner)
        await write(server, 0, 50)
        writing = asyncio.create_task(write(server, 50, 250))
        folder = await make(site.settings, server, progress=lambda _: None)
        await writing
        moment = datetime.now(UTC)
        await write(server, 250, 300)
        await everything_archived(server, site.settings)

    manifest, changes = await verify(site.settings.backups, site.key, "", site.root / "work")
    assert manifest.name == folder.name
    assert changes >= 1
    assert not (site.root / "work").exists()

    with pytest.raises(CannotRestore, match="never overwrites"):
        await restore(site.settings, site.settings.backups, site.key, progress=lambda _: None)

    key_file = site.root / "backup.key"
    shutil.copy(site.settings.data / "keys" / "backup", key_file)
    keys = {path.name: path.read_bytes() for path in (site.settings.data / "keys").iterdir() if path.name != "backup"}
    shutil.rmtree(site.settings.data)

    latest, then = site.at("latest"), site.at("then")
    latest.audit.mkdir(parents=True)
    (latest.audit / "head").write_text("how far the trail went")
    key = backup_key.given(site.settings.backups, key_file=key_file, passphrase="", data=latest.data)
    await restore(latest, latest.backups, key, progress=lambda _: None)
    assert await ids(latest) == list(range(300))
    (aside,) = latest.audit.iterdir()
    assert (aside.name[:20], aside.read_text()) == ("head-before-restore-", "how far the trail went")
    await restore(then, then.backups, key, to_time=moment, progress=lambda _: None)
    assert await ids(then) == list(range(250))
    for settings in (latest, then):
        assert {name: (settings.data / "keys" / name).read_bytes() for name in keys} == keys
    async with postgres.open(then) as server:
        await write(server, 900, 901)  # it goes on, as an installation of its own
        assert await migrate(server.owner) == []

    for path in site.settings.backups.rglob("*"):
        if path.is_file():
            assert b"Zzyzx" not in path.read_bytes(), path


async def test_a_moment_after_the_last_change_is_the_last_state(site):
    async with postgres.open(site.settings) as server:
        await migrate(server.owner)
        await make(site.settings, server, progress=lambda _: None)
        await write(server, 0, 5)
        await everything_archived(server, site.settings)
    later = site.at("later")
    await restore(later, later.backups, site.key, to_time=datetime.now(UTC), progress=lambda _: None)
    assert await ids(later) == list(range(5))


async def test_what_is_damaged_or_missing_is_found(site):
    async with postgres.open(site.settings) as server:
        await migrate(server.owner)
        folder = await make(site.settings, server, progress=lambda _: None)
    backups, key = site.settings.backups, site.key
    base = folder / "base.tar.enc"
    whole = base.read_bytes()

    base.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Damaged, match=r"base\.tar\.enc"):
        await verify(backups, key, "", site.root / "work")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    base.write_bytes(flipped)
    with pytest.raises(Damaged, match=r"base\.tar\.enc"):
        await verify(backups, key, "", site.root / "work")
    base.write_bytes(whole)
    await verify(backups, key, "", site.root / "work")

    manifest = folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"kind": "physical"', '"kind": "logical"'))
    with pytest.raises(Damaged, match="was changed"):
        store.load(folder, key)
    manifest.write_text(text)

    place = archive.present(site.settings).folder
    numbers = sorted(path.name for path in place.glob("*.enc") if store.WAL_NAME.fullmatch(path.name[:-4]))
    beyond = f"{int(numbers[-1][:24], 16) + 2:024X}.enc"
    shutil.copy(place / numbers[-1], place / beyond)
    with pytest.raises(NoBackup, match="gap"):
        await verify(backups, key, "", site.root / "work")

    (site.root / "other").write_text("00" * 32)
    with pytest.raises(NoKey, match="not the key"):
        backup_key.given(backups, key_file=site.root / "other", passphrase="", data=site.root)


async def test_only_the_wanted_number_of_backups_is_kept(site):
    async with postgres.open(site.settings) as server:
        await migrate(server.owner)
        made = [(await make(site.settings, server, progress=lambda _: None)).name for _ in range(3)]
    # By name: the archive goes on growing while backups are taken from it.
    before = {path.name for path in archive.present(site.settings).folder.glob("*.enc")}
    assert sorted(store.prune(site.settings.backups, site.key, 1)) == sorted(made)[:2]
    assert [folder.name for folder in store.backups(site.settings.backups)] == sorted(made)[2:]
    assert before - {path.name for path in archive.present(site.settings).folder.glob("*.enc")}
    await verify(site.settings.backups, site.key, "", site.root / "work")


def test_the_commands_do_it_with_a_passphrase(site):
    environment = {"PATH": "/usr/bin:/bin", "CONTINUUM_BACKUP_PASSPHRASE": "correct horse battery"}

    def continuum(*words, **more):
        program = Path(__import__("sys").executable).with_name("continuum")
        return subprocess.run(
            [program, *map(str, words)], env={**environment, **more}, capture_output=True, text=True, check=False
        )

    at = ["--backup-folder", site.settings.backups]
    assert continuum("migrate", "--data", site.settings.data).returncode == 0
    made = continuum("backup", "--data", site.settings.data, *at)
    assert made.returncode == 0, made.stderr
    assert "is whole" in continuum("backup", "--data", site.settings.data, *at, "--verify").stdout
    assert "physical" in continuum("backup", "--data", site.settings.data, *at, "--list").stdout
    refused = continuum("restore", "--data", site.settings.data, *at)
    assert refused.returncode == 1
    assert "never overwrites" in refused.stderr
    wrong = continuum("restore", "--data", site.root / "new", *at, CONTINUUM_BACKUP_PASSPHRASE="incorrect horse")
    assert "not the key" in wrong.stderr
    restored = continuum("restore", "--data", site.root / "new", *at)
    assert restored.returncode == 0, restored.stderr
    assert "up to date" in continuum("migrate", "--data", site.root / "new").stdout
    unpacked = continuum("restore", "--data", site.settings.data, *at, "--unpack", site.root / "loose")
    assert unpacked.returncode == 0, unpacked.stderr
    assert (site.root / "loose" / "data" / "PG_VERSION").read_text().strip() == "18"
