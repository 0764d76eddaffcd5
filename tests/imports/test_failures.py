"""An import under bad input, kills, repeats and company: nothing lost, nothing doubled, nothing silently skipped."""

import gzip
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from continuum.access import Access, Actor
from tests.importing import everything, fetch, load, originals, said, target
from tests.suites import ROOT

PROGRAM = """
import asyncio, pickle, sys
from pathlib import Path
from tests.importing import load
source, rejects, to = sys.argv[1], sys.argv[2], pickle.loads(bytes.fromhex(sys.argv[3]))
asyncio.run(load(Path(source), to, Path(rejects)))
"""


@pytest.fixture
def to(database, database_owner):
    return target(database, database_owner)


def patient(ident, **more):
    return {"resourceType": "Patient", "id": ident, **more}


def observation(name, subject, **more):
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{subject}"}, **more,
    }  # fmt: skip


def write(path, resources):
    """An NDJSON file of resources, or of lines that are none."""
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources]
    text = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)


async def test_each_kind_of_bad_line_is_rejected_with_its_line_and_reason(tmp_path, to):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "mixed.ndjson", [
        patient("a"),
        b'{"resourceType": "Patient", "id": "b"',
        b"",
        {"resourceType": "Patient", "id": "c", "gender": 7},
        {"resourceType": "Patient"},
        {"resourceType": "Nonsense", "id": "d"},
        b"[1, 2]",
        {"resourceType": "Patient", "id": "bad id!"},
        observation("e", "a?") | {"subject": {"reference": "Patient?identifier=1"}},
        {"resourceType": "AuditEvent", "id": "f"},
        b'{"resourceType": "Patient", "id": "g", "id": "h"}',
        b'{"resourceType": "Patient", "id": "\\xff"}'.replace(b"\\xff", b"\xff"),
        patient("last"),
    ])  # fmt: skip
    report = await load(folder, to, tmp_path / "rejects")
    assert (report.written, report.rejected) == (2, 10)
    assert set(await everything(to)) == {"Patient/a", "Patient/last"}
    found = said(tmp_path / "rejects")
    assert [one["line"] for one in found] == [2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert {one["file"] for one in found} == {str(folder / "mixed.ndjson")}
    assert all(len(one["reason"]) > 15 for one in found)
    by_line = {one["line"]: one for one in found}
    assert "Patient.gender" in by_line[4]["location"]
    assert "no id" in by_line[5]["reason"]
    assert "resourceType" in by_line[6]["reason"]
    again = await load(folder, to, tmp_path / "rejects")
    assert (again.equal, again.rejected) == (2, 10)
    assert said(tmp_path / "rejects") == found


@pytest.mark.parametrize("damage", ["cut", "noise", "no gzip", "empty", "empty document", "cut document"])
async def test_a_damaged_file_is_named_with_the_line_from_which_it_is_missing(tmp_path, to, damage):
    folder = tmp_path / "in"
    folder.mkdir()
    rng = random.Random(1)
    write(folder / "ok.ndjson", [patient("ok")])
    path = folder / ("bad.json" if "document" in damage else "bad.ndjson.gz")
    write(
        folder / "bad.ndjson.gz", [patient(f"p{n}", name=[{"family": rng.randbytes(40).hex()}]) for n in range(3_000)]
    )
    whole = (folder / "bad.ndjson.gz").read_bytes()
    (folder / "bad.ndjson.gz").unlink()
    middle = len(whole) // 2
    path.write_bytes({
        "cut": whole[:middle], "noise": whole[:middle] + bytes(200) + whole[middle + 200 :], "no gzip": b"{}\n",
        "empty": b"", "empty document": b"", "cut document": b'{"resourceType": "Patient", "id": "x",',
    }[damage])  # fmt: skip
    report = await load(folder, to, tmp_path / "rejects")
    found = [one for one in said(tmp_path / "rejects") if one["file"] == str(path)]
    loaded = await everything(to)
    assert "Patient/ok" in loaded
    if damage == "empty":  # a gzip file without members holds no resource, and says so by its size
        assert (report.unread, found) == ([], [])
        return
    assert found[-1]["reason"]
    if damage == "noise":  # what noise decompresses to is refused line by line, until the checksum speaks
        assert len(report.unread) == 1
        assert "gzip" in found[-1]["reason"]
        return
    assert len(found) == 1
    if damage == "cut":
        missing = report.unread[0].line
        assert found[0]["line"] == missing
        assert 100 < missing <= 3_001
        assert len(loaded) == missing - 1 + 1  # all lines before it, and the other file


async def test_what_changed_becomes_the_second_version_and_the_rest_stays(tmp_path, to):
    path, rejects = tmp_path / "p.ndjson", tmp_path / "rejects"
    write(path, [patient(f"p{n}") for n in range(30)])
    await load(path, to, rejects)
    write(path, [patient(f"p{n}", **({"gender": "female"} if n % 3 == 0 else {})) for n in range(31)])
    report = await load(path, to, rejects)
    assert (report.written, report.updated, report.equal) == (1, 10, 20)
    versions = await fetch(to, "SELECT id, version FROM record.resource")
    assert {row["id"]: row["version"] for row in versions} == {
        f"p{n}": 2 if n % 3 == 0 and n < 30 else 1 for n in range(31)
    }
    assert len(await fetch(to, "SELECT 1 FROM record.history")) == 10


async def test_what_was_deleted_since_comes_back(tmp_path, to, pool):
    path = tmp_path / "p.ndjson"
    write(path, [patient("a"), patient("b")])
    await load(path, to, tmp_path / "rejects")
    door = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
    session = door.open(Actor("x", "administrator"), "HSYSADMIN", source="", request_id="")
    await session.delete("Patient", "a")
    report = await load(path, to, tmp_path / "rejects")
    assert (report.updated, report.equal) == (1, 1)
    assert (await session.read("Patient", "a")).version == 3


async def test_references_to_nothing_are_listed_until_they_are_mended(tmp_path, to):
    rejects = tmp_path / "rejects"
    write(tmp_path / "o.ndjson", [observation("o1", "late"), observation("o2", "never")])
    report = await load(tmp_path / "o.ndjson", to, rejects)
    assert report.dangling == [("Observation/o1", "Patient/late"), ("Observation/o2", "Patient/never")]
    write(tmp_path / "p.ndjson", [patient("late")])
    report = await load(tmp_path / "p.ndjson", to, rejects)
    assert report.dangling == [("Observation/o2", "Patient/never")]
    write(tmp_path / "o.ndjson", [observation("o2", "late")])
    report = await load(tmp_path / "o.ndjson", to, rejects)
    assert report.dangling == []


async def test_files_that_hold_the_same_resources_can_be_loaded_at_once(tmp_path, to):
    for number in range(4):
        write(tmp_path / f"f{number}.ndjson", [patient(f"p{n}") for n in range(1_500)])
    report = await load(tmp_path, to, tmp_path / "rejects.txt", workers=4)
    assert (report.written, report.updated, report.equal) == (1_500, 0, 4_500)
    assert len(await everything(to)) == 1_500


async def test_a_bundle_is_taken_apart_with_its_inner_references(tmp_path, to):
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:1", "resource": patient("p")},
        {"fullUrl": "urn:uuid:2", "resource": observation("o", "x") | {"subject": {"reference": "urn:uuid:1"}}},
    ]}  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps(bundle))
    report = await load(tmp_path / "b.json", to, tmp_path / "rejects")
    assert (report.written, report.dangling) == (2, [])
    assert (await everything(to))["Observation/o"]["subject"] == {"reference": "Patient/p"}


def start(source, rejects, to):
    """An import as a process of its own."""
    # After others, so that it is not over before this test, which looks at it and kills it, has had its turn.
    words = ["nice", "-n", "19", sys.executable, "-c", PROGRAM, str(source), str(rejects), pickle.dumps(to).hex()]
    return subprocess.Popen(
        words, start_new_session=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    )


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


def all_gone(processes, within_s=30):
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not alive


async def until_loaded(to, count, process):
    """Waits until at least so many resources are there, or the import has ended."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        ((there,),) = await fetch(to, "SELECT count(*) FROM record.resource")
        if there >= count:
            return there
    return -1


def many(path, count):
    rng = random.Random(5)
    resources = [patient(f"p{n}") for n in range(count // 10)]
    resources += [
        observation(f"o{n}", f"p{rng.randrange(count // 10)}", valueInteger=n, note=[{"text": rng.randbytes(30).hex()}])
        for n in range(count - count // 10)
    ]
    write(path, resources)


async def test_an_import_killed_at_random_moments_goes_on_without_loss_or_doubles(tmp_path, to):
    path = tmp_path / "many.ndjson.gz"
    many(path, 15_000)
    rng = random.Random(9)
    kills = 0
    for share in sorted(rng.random() for _ in range(3)):
        process = start(path, tmp_path / "rejects", to)
        there = await until_loaded(to, int(share * 13_000), process)
        workers = family(process) if process.poll() is None else []
        process.kill()
        process.wait()
        process.stderr.close()
        assert all_gone(workers), "a worker outlives its import"
        kills += there >= 0
    assert kills >= 2
    ((before,),) = await fetch(to, "SELECT count(*) FROM record.resource")
    report = await load(path, to, tmp_path / "rejects")
    assert report.rejected == 0
    assert report.written == 15_000 - before
    assert report.passed_over == before  # what a killed run made durable is known to be done
    assert await everything(to) == originals(path)
    ((rows, versions, searchable),) = await fetch(
        to,
        "SELECT (SELECT count(*) FROM record.resource), (SELECT sum(version) FROM record.resource),"
        " (SELECT count(*) FROM record.search)",
    )
    assert (rows, versions, searchable) == (15_000, 15_000, 15_000)
    traced = await fetch(to, "SELECT detail FROM record.audit WHERE interaction = 'import'")
    named = [address for row in traced for address in row["detail"].split()]
    assert len(named) == len(set(named)) == 15_000


async def test_an_interrupted_import_leaves_no_process_behind(tmp_path, to):
    path = tmp_path / "many.ndjson"
    many(path, 30_000)  # a quick machine would be done with fewer before it is interrupted
    process = start(path, tmp_path / "rejects", to)
    assert await until_loaded(to, 1_000, process) >= 1_000
    workers = family(process)
    assert len(workers) >= 2
    os.killpg(process.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert all_gone(workers)
    report = await load(path, to, tmp_path / "rejects")
    assert report.written + report.passed_over == 30_000
    assert await everything(to) == originals(path)
