"""What is archived of a WAL file that is still written."""

import os
from pathlib import Path

import pytest

from continuum.runtime.backup import archive
from continuum.runtime.settings import Settings

NAME = "000000010000000000000003.partial"
NS = 1_000_000_000


@pytest.fixture
def spooled(tmp_path):
    """Settings of an installation that archives, and the WAL file that is being received."""
    settings = Settings.load({}, data=tmp_path, backup_folder=tmp_path / "backups", archive_timeout_s=60)
    archive.begin(settings, "1")
    spool = tmp_path / "wal-spool"
    spool.mkdir()
    return settings, spool / NAME


def kept_of(settings: Settings) -> Path:
    place = archive.present(settings)
    assert place is not None
    return place.folder / f"{NAME}.enc"


def aged(path: Path, age_s: int, now_ns: int) -> None:
    os.utime(path, ns=(now_ns - age_s * NS,) * 2)


def test_the_last_change_before_a_quiet_time_is_archived_without_another_one(spooled):
    settings, partial = spooled
    partial.write_bytes(b"first")
    archive.drain(settings, partial.parent)
    first = kept_of(settings).read_bytes()
    now_ns = partial.stat().st_mtime_ns
    partial.write_bytes(b"first and last")

    aged(kept_of(settings), 59, now_ns)
    aged(partial, 30, now_ns)
    archive.drain(settings, partial.parent)
    assert kept_of(settings).read_bytes() == first, "not before its time"

    aged(kept_of(settings), 70, now_ns)
    archive.drain(settings, partial.parent)
    last = kept_of(settings).read_bytes()
    assert len(last) == len(first) + len(" and last")

    archive.drain(settings, partial.parent)
    assert kept_of(settings).read_bytes() == last, "what did not change is not archived again"


def test_a_change_in_the_moment_of_archiving_is_not_taken_for_archived(spooled):
    settings, partial = spooled
    partial.write_bytes(b"first")
    archive.drain(settings, partial.parent)
    assert kept_of(settings).stat().st_mtime_ns < partial.stat().st_mtime_ns
