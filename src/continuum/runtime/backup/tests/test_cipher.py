"""Encrypted files give back what was written, or nothing."""

import io
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.kernel.limits import BACKUP_CHUNK_BYTES
from continuum.runtime.backup.cipher import Damaged, Stream, encrypt_file, read

KEY = bytes(range(32))


@pytest.mark.parametrize("size", [0, 1, BACKUP_CHUNK_BYTES - 1, BACKUP_CHUNK_BYTES, 3 * BACKUP_CHUNK_BYTES + 17])
def test_what_is_written_is_read(tmp_path, size):
    content = os.urandom(size)
    written = encrypt_file(io.BytesIO(content), tmp_path / "x.enc", KEY, "x")
    assert b"".join(read(tmp_path / "x.enc", KEY, "x")) == content
    assert written.size == (tmp_path / "x.enc").stat().st_size
    assert (tmp_path / "x.enc").stat().st_mode & 0o077 == 0


def test_another_key_or_name_gives_nothing(tmp_path):
    encrypt_file(io.BytesIO(b"content"), tmp_path / "x.enc", KEY, "x")
    for key, name in ((bytes(32), "x"), (KEY, "y")):
        with pytest.raises(Damaged):
            b"".join(read(tmp_path / "x.enc", key, name))


@given(st.data())
def test_any_change_or_cut_is_noticed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cipher")
    content = os.urandom(2 * BACKUP_CHUNK_BYTES)
    encrypt_file(io.BytesIO(content), folder / "x.enc", KEY, "x")
    whole = (folder / "x.enc").read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[cut] ^= data.draw(st.integers(1, 255))
    for damaged in (whole[:cut], bytes(changed), whole + b"x"):
        (folder / "x.enc").write_bytes(damaged)
        with pytest.raises(Damaged):
            b"".join(read(folder / "x.enc", KEY, "x"))


def test_pieces_cannot_be_swapped_or_left_out(tmp_path):
    encrypt_file(io.BytesIO(os.urandom(4 * BACKUP_CHUNK_BYTES)), tmp_path / "x.enc", KEY, "x")
    whole = (tmp_path / "x.enc").read_bytes()
    head, size = whole[:24], BACKUP_CHUNK_BYTES + 16
    pieces = [whole[24 + at : 24 + at + size] for at in range(0, len(whole) - 24, size)]
    assert len(pieces) > 3
    for order in ([1, 0, *range(2, len(pieces))], range(1, len(pieces)), range(len(pieces) - 1)):
        (tmp_path / "x.enc").write_bytes(head + b"".join(pieces[number] for number in order))
        with pytest.raises(Damaged):
            b"".join(read(tmp_path / "x.enc", KEY, "x"))


def test_a_stream_reads_any_sizes(tmp_path):
    content = os.urandom(BACKUP_CHUNK_BYTES + 5)
    encrypt_file(io.BytesIO(content), tmp_path / "x.enc", KEY, "x")
    stream = Stream(tmp_path / "x.enc", KEY, "x")
    parts = []
    while part := stream.read(100_003):
        parts.append(part)
    assert b"".join(parts) == content


def test_what_comes_out_of_a_piece_is_not_copied_for_every_read(tmp_path):
    """Pages of a new database are mostly empty: a piece of them is a hundred times what it was, and tar reads 10 KB."""
    encrypt_file(io.BytesIO(bytes(32 * BACKUP_CHUNK_BYTES)), tmp_path / "x.enc", KEY, "x")
    stream = Stream(tmp_path / "x.enc", KEY, "x")
    tracemalloc.start()
    try:
        stream.read(1)
        held, _ = tracemalloc.get_traced_memory()
        assert held > 16 * BACKUP_CHUNK_BYTES
        tracemalloc.reset_peak()
        for _ in range(10):
            stream.read(10_240)
        assert tracemalloc.get_traced_memory()[1] - held < BACKUP_CHUNK_BYTES
    finally:
        tracemalloc.stop()
