"""Bounds on what a client may send, and on how slowly."""

import asyncio
import contextlib
import json
import os
import socket
import time

import pytest

from tests.api.conftest import FHIR, fresh_id, outcome, patient

pytestmark = pytest.mark.server


async def raw(running, head: bytes, *pieces: bytes, timeout_s=20):
    """Sends bytes as they are; returns everything that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        writer.write(head)
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), timeout_s)
    finally:
        writer.close()


def head_of(running, method="POST", path="/fhir/Patient", **more):
    lines = [
        f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {running.token()}",
        f"Content-Type: {FHIR}", "Connection: close", *(f"{name}: {value}" for name, value in more.items()),
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def said_by(answer: bytes, status: int):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status), head
    return json.loads(body)["issue"][0]


async def test_an_address_that_is_too_long_is_refused(api):
    said = outcome(await api.get("/Patient?name=" + "x" * 17_000), 414)
    assert "by POST" in said["diagnostics"]
    long = {"name": ",".join("x" * 20 for _ in range(900))}
    assert (await api.post("/Patient/_search", data=long)).status_code == 200


async def test_headers_that_are_too_large_are_refused(api):
    outcome(await api.get("/Patient", headers={"x-noise": "x" * 33_000}), 431)


async def test_a_body_over_the_limit_is_refused_by_its_length_before_it_is_sent(running):
    head = head_of(running, **{"Content-Length": 17 * 1024 * 1024})
    assert "16 MiB" in said_by(await raw(running, head), 413)["diagnostics"]


@pytest.mark.requirement("V5.2.1")
async def test_a_binary_over_its_limit_is_refused_before_it_is_sent(running):
    head = head_of(running, path="/fhir/Binary", **{"Content-Length": 65 * 1024 * 1024})
    assert "64 MiB" in said_by(await raw(running, head.replace(FHIR.encode(), b"text/plain")), 413)["diagnostics"]


@pytest.mark.requirement("V5.2.1")
async def test_a_body_of_unknown_length_is_stopped_at_the_limit(running):
    piece = b"%x\r\n" % (1024 * 1024) + b" " * (1024 * 1024) + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(head_of(running, **{"Transfer-Encoding": "chunked"}))
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 40:
            writer.write(piece)
            await writer.drain()
            sent += 1
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    if answer:
        said_by(answer, 413)
    assert sent < 40 or answer


@pytest.mark.requirement("V2.3.2")
async def test_a_search_with_too_many_parameters_is_refused(api):
    outcome(await api.get("/Patient?" + "&".join(["active=true"] * 65)), 400)
    outcome(await api.get("/Patient?" + "&".join(["active=true"] * 300)), 400)


@pytest.mark.requirement("V-222612")
async def test_deep_json_is_refused(api):
    deep = b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 500 + b"[]" + b"}]" * 500 + b"}"
    answer = await api.post("/Patient", content=deep, headers={"content-type": FHIR})
    assert answer.status_code in (400, 422)


async def test_a_body_that_trickles_ends_at_the_total_time_of_a_request(another):
    with another(request_timeout_s=1.5) as server:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head_of(server, **{"Content-Length": 100_000}))
        answer = asyncio.create_task(reader.read())
        while not answer.done() and time.monotonic() - began < 20:
            writer.write(b" ")
            await asyncio.wait({answer}, timeout=0.1)
        took_s = time.monotonic() - began
        writer.close()
        said = said_by(await answer, 408)
        assert said["code"] == "timeout"
        assert 1.4 < took_s < 8
        async with server.client() as client:  # others are served as ever
            assert (await client.get("/Patient?_count=1")).status_code == 200


async def test_one_connection_carries_one_body_after_another(running):
    """Who is not told that a body has ended must still find the next request where it begins."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    text = json.dumps(patient()).encode()
    head = head_of(running, **{"Content-Length": len(text)}).replace(b"Connection: close\r\n", b"")
    writer.write((head + text) * 3)
    for _ in range(3):
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert answer.startswith(b"HTTP/1.1 201"), answer
        length = next(line for line in answer.split(b"\r\n") if line.startswith(b"content-length"))
        assert json.loads(await reader.readexactly(int(length.split(b":")[1])))["resourceType"] == "Patient"
    writer.close()


async def test_a_client_that_goes_away_leaves_nothing_behind(api, running):
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(head_of(running, **{"Content-Length": 1000}) + b'{"resourceType"')
        await writer.drain()
        writer.close()
    name = fresh_id()
    assert (await api.put(f"/Patient/{name}", json=patient(id=name))).status_code == 201


async def test_a_client_that_does_not_take_its_answer_is_let_go(api, another):
    name = fresh_id()
    size = 24 * 1024 * 1024
    await api.put(
        f"/Binary/{name}", content=os.urandom(size), headers={"content-type": "text/plain", "prefer": "return=minimal"}
    )
    with another(request_timeout_s=1.5) as server, socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(("127.0.0.1", server.port))
        lazy.sendall(head_of(server, "GET", f"/fhir/Binary/{name}").replace(FHIR.encode(), b"text/plain"))
        async with asyncio.timeout(20), server.client() as client:  # others are served while it waits
            while 'interaction="read",status="408"' not in (await client.get(f"{server.origin}/metrics")).text:
                assert (await client.get("/metadata?_elements=name")).status_code == 200
        lazy.settimeout(20)
        taken = 0
        with contextlib.suppress(ConnectionError):
            while piece := lazy.recv(1024 * 1024):
                taken += len(piece)
        assert 0 < taken < size


@pytest.mark.proof
@pytest.mark.requirement("V15.2.2")
async def test_a_head_that_trickles_is_cut_off_and_others_are_not_slower(running):
    slow = []
    for _ in range(200):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /fhir/metadata HTTP/1.1\r\nHost: loc")
        slow.append((reader, writer))
    async with running.client() as client:
        assert (await client.get("/Patient?_count=1")).status_code == 200
    for reader, writer in slow:
        await asyncio.wait_for(reader.read(), 30)
        writer.close()


@pytest.mark.parametrize(
    "text",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"GET /fhir/\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /fhir/Patient?\xff=\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
        b"POST /fhir HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    ],
)
@pytest.mark.requirement("V4.2.1")
async def test_rubbish_on_the_wire_is_a_clients_error(running, text):
    answer = await raw(running, text)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer


async def test_unreadable_parameters_are_refused(api):
    outcome(await api.get("/Patient?name=%ff%fe"), 400)
    outcome(
        await api.post(
            "/Patient/_search", content=b"name=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
        ),
        400,
    )


@pytest.mark.parametrize("length", [16_500, 65_500])
async def test_an_address_is_refused_in_words_as_far_as_the_parser_reads_it(running, length):
    path = "/fhir/Patient?name=" + "x" * (length - 19)
    said = said_by(await raw(running, head_of(running, "GET", path)), 414)
    assert said["code"] == "too-long"
    assert "16 KiB" in said["diagnostics"]


@pytest.mark.parametrize("length", [33_000, 250_000])
async def test_a_head_is_refused_in_words_as_far_as_the_parser_reads_it(running, length):
    said = said_by(await raw(running, head_of(running, "GET", **{"X-Noise": "x" * length})), 431)
    assert said["code"] == "too-long"
    assert "32 KiB" in said["diagnostics"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /fhir/Patient?name=%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 66_000), 414),
        (b"GET /fhir/Patient HTTP/1.1\r\nHost: a\r\n%b\r\n" % (b"X-Noise: x\r\n" * 100), 431),
        (b"GET /fhir/Patient?name=<a> HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /fhir/Patient?name=a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /fhir/Patient HTTP/1.1\r\nno colon\r\n\r\n", 400),
    ],
)
async def test_what_the_parser_cannot_read_has_a_status_and_ends_the_connection(running, head, status):
    """Whatever of the address it read, it never comes to us: there is no outcome, only the right status."""
    answer, _, body = (await raw(running, head)).partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d" % status), answer
    assert b"connection: close" in answer.lower()
    assert body == b""
