import contextlib
import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from continuum.apps.fhir_api.body import Disconnected, expand, whole
from continuum.apps.fhir_api.headers import UnsupportedMedia
from continuum.kernel.errors import Malformed, TooLarge

MIB = 1024 * 1024


def arriving(*chunks):
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    waiting = iter(messages)

    async def receive():
        return next(waiting)

    return receive


async def test_a_body_in_pieces_is_put_together():
    assert await whole(arriving(b"ab", b"", b"c"), {}, 10) == b"abc"


async def test_a_body_is_refused_by_its_declared_length_before_it_is_read():
    async def never():
        raise AssertionError("nothing is read")

    with pytest.raises(TooLarge, match="larger than 1 MiB"):
        await whole(never, {b"content-length": str(MIB + 1).encode()}, MIB)
    with pytest.raises(Malformed, match="number of bytes"):
        await whole(never, {b"content-length": b"-1"}, MIB)
    with pytest.raises(TooLarge):
        await whole(never, {b"content-length": b"9" * 50}, MIB)


async def test_a_body_that_lies_about_its_length_is_stopped_at_the_limit():
    with pytest.raises(TooLarge):
        await whole(arriving(b"x" * MIB, b"x"), {b"content-length": b"5"}, MIB)


async def test_a_body_ends_where_its_length_says_without_asking_again():
    asked = 0

    async def receive():
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"abc", "more_body": True}

    assert await whole(receive, {b"content-length": b"6"}, 10) == b"abcabc"
    assert asked == 2


async def test_a_length_beside_a_transfer_encoding_says_nothing():
    headers = {b"content-length": b"2", b"transfer-encoding": b"chunked"}
    assert await whole(arriving(b"ab", b"cd"), headers, 10) == b"abcd"


async def test_a_client_that_goes_away_is_noticed():
    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(Disconnected):
        await whole(gone, {}, 10)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        (b"gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"zstd", zstandard.ZstdCompressor().compress),
    ],
)
@pytest.mark.requirement("V5.2.3")
async def test_compressed_bodies_are_expanded_within_the_limit(encoding, pack):
    text = bytes(range(256)) * 400
    assert await whole(arriving(pack(text)), {b"content-encoding": encoding}, MIB) == text
    with pytest.raises(TooLarge):
        await whole(arriving(pack(b"\0" * (50 * MIB))), {b"content-encoding": encoding}, MIB)
    with pytest.raises(Malformed, match="not whole"):
        await whole(arriving(pack(text)[:-5]), {b"content-encoding": encoding}, MIB)


async def test_a_gzip_that_lies_about_its_size_or_is_followed_by_something_is_refused():
    packed = gzip.compress(b"x" * 10_000)
    small, large = (size.to_bytes(4, "little") for size in (100, 400_000))
    for body in (packed[:-4] + small, packed[:-4] + large, packed + packed, packed + b"tail"):
        with pytest.raises((Malformed, TooLarge)):
            await whole(arriving(body), {b"content-encoding": b"gzip"}, MIB)


async def test_large_compressed_bodies_are_expanded_too():
    text = b"".join(number.to_bytes(4, "big") for number in range(400_000))
    packed = gzip.compress(text, 1)
    assert len(packed) > 256 * 1024
    assert await whole(arriving(packed), {b"content-encoding": b"gzip"}, 2 * MIB) == text


def test_unknown_encodings_are_refused():
    with pytest.raises(UnsupportedMedia, match="gzip, deflate or zstd"):
        expand(b"x", b"br", MIB)


@given(st.binary(max_size=400), st.sampled_from([b"gzip", b"deflate", b"zstd"]))
@pytest.mark.requirement("V-222609")
def test_rubbish_is_never_more_than_refused(body, encoding):
    with contextlib.suppress(Malformed, TooLarge):
        expand(body, encoding, 1000)
