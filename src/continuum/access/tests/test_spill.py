"""The spill file: what was put into it is there after any crash, and nothing else is taken for it."""

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.access.spill import Spill, SpillFull

KEY = bytes(range(32))
SIZE = 64 * 1024


def row(target, *patients):
    fields = (1, "r", "dr", "clinician", "TREAT", "::1", "read", 0, 7, target, None, None, "détail \U0001f600")
    return (*fields, os.urandom(16), list(patients))


def kept(spill):
    return [list(frame) for _, frame in spill.frames()]


def fill(spill, *, for_reads=True):
    with contextlib.suppress(SpillFull):
        for _ in range(10_000):
            spill.append([row("x")], for_reads=for_reads)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


def test_frames_come_back_as_they_were_also_to_the_next_process(folder):
    first, second = [row("a", "p", "q"), row(None)], [row("b")]
    spill = Spill.take(folder, KEY, SIZE)
    spill.append(first)
    spill.append(second)
    assert kept(spill) == [first, second]
    assert (spill.pending, spill.rows) == (2, 3)
    spill.close()
    again = Spill.take(folder, KEY, SIZE)
    assert kept(again) == [first, second]
    assert (again.pending, again.rows, again.damaged, again.path) == (2, 3, False, spill.path)
    again.close()


def test_the_file_is_full_size_from_the_start_and_closed_to_others(folder):
    spill = Spill.take(folder, KEY, SIZE)
    found = spill.path.stat()
    assert (found.st_size, found.st_mode & 0o777) == (SIZE, 0o600)
    assert found.st_blocks * 512 >= SIZE
    fill(spill)
    assert spill.path.stat().st_size == SIZE
    assert spill.used > 0.98
    spill.close()


def test_traces_of_refusals_leave_room_for_reads(folder):
    spill = Spill.take(folder, KEY, SIZE)
    fill(spill, for_reads=False)
    assert 0.48 < spill.used <= 0.5
    spill.append([row("read")])
    spill.close()


def test_each_process_has_its_own_and_what_one_left_is_found(folder):
    one, other = Spill.take(folder, KEY, SIZE), Spill.take(folder, KEY, SIZE)
    assert one.path != other.path
    one.append([row("a")])
    other.append([row("b")])
    assert list(Spill.abandoned(folder, KEY)) == []
    other.close()
    (found,) = (kept(spill) for spill in Spill.abandoned(folder, KEY))
    assert found[0][0][9] == "b"
    one.close()


def test_what_an_earlier_use_left_is_no_frame_of_the_present(folder):
    spill = Spill.take(folder, KEY, SIZE)
    before = spill.id
    for _ in range(5):
        spill.append([row("old")])
    spill.clear()
    assert (kept(spill), spill.pending) == ([], 0)
    assert spill.id != before
    spill.append([row("new")])
    spill.close()
    again = Spill.take(folder, KEY, SIZE)
    assert [[one[9] for one in frame] for frame in kept(again)] == [["new"]]
    assert not again.damaged
    again.close()


def test_another_key_makes_no_frames_and_what_was_there_is_kept_aside(folder):
    spill = Spill.take(folder, KEY, SIZE)
    spill.append([row("a")])
    spill.close()
    content = spill.path.read_bytes()
    other = Spill.take(folder, bytes(32), SIZE)
    assert kept(other) == []
    other.close()
    (copy,) = folder.glob("damaged-*")
    assert copy.read_bytes() == content


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])  # cleared for each
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), place=st.floats(0, 0.999), cut=st.booleans())
def test_a_frame_that_is_not_whole_ends_the_spill_and_harm_before_others_is_seen(folder, lengths, place, cut):
    spill = Spill.take(folder, KEY, SIZE)
    spill.clear()
    ends = []
    for length in lengths:
        spill.append([row("x") for _ in range(length)])
        ends.append(4096 + round(spill.used * (SIZE - 4096)))
    frames = kept(spill)
    spill.close()
    begin = 4096
    at = begin + int(place * (ends[-1] - begin))
    harmed = next(number for number, end in enumerate(ends) if at < end)
    with spill.path.open("r+b") as file:
        if cut:  # as when the power goes while the last frame is written
            file.seek(at)
            file.write(bytes(SIZE - at))
        else:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x20]))
    again = Spill.take(folder, KEY, SIZE)
    assert kept(again) == frames[:harmed]
    assert again.damaged == (not cut and harmed < len(lengths) - 1)
    again.close()
