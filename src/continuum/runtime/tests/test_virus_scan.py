"""The scanner's protocol, spoken with a server on a real socket."""

import asyncio
import struct

import pytest

from continuum.runtime.virus_scan import Scanner, ScanUnavailable

pytestmark = pytest.mark.server
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


async def clamd(reader, writer):
    """What clamd says to INSTREAM: the command, pieces with their length, a length of 0, then one answer."""
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    content = b""
    while size := struct.unpack("!I", await reader.readexactly(4))[0]:
        content += await reader.readexactly(size)
    if len(content) > 3_000_000:
        answer = b"INSTREAM size limit exceeded. ERROR\0"
    else:
        answer = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
    writer.write(answer)
    await writer.drain()
    writer.close()


@pytest.fixture(params=["tcp", "unix"])
async def scanner(request, tmp_path):
    if request.param == "unix":
        server = await asyncio.start_unix_server(clamd, tmp_path / "clamd.ctl")
        address = f"unix://{tmp_path}/clamd.ctl"
    else:
        server = await asyncio.start_server(clamd, "127.0.0.1", 0)
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield Scanner(address, timeout_s=5)


@pytest.mark.requirement("V5.4.3")
async def test_a_clean_file_is_clean_and_a_virus_has_a_name(scanner):
    assert await scanner.found(b"harmless " * 100_000) == ""
    assert await scanner.found(b"") == ""
    assert await scanner.found(b"a" * 600_000 + EICAR) == "Eicar-Test-Signature"


@pytest.mark.requirement("V5.4.3")
async def test_what_the_scanner_refuses_to_look_at_is_not_called_clean(scanner):
    with pytest.raises(ScanUnavailable, match="try again later"):
        await scanner.found(b"x" * 3_000_001)


@pytest.mark.requirement("V16.5.2")
async def test_a_scanner_that_is_away_or_hangs_up_or_is_silent_is_said_to_be(tmp_path):
    with pytest.raises(ScanUnavailable):
        await Scanner(f"unix://{tmp_path}/none.ctl", timeout_s=1).found(b"x")
    done = asyncio.Event()

    async def silent(_, writer):
        await done.wait()
        writer.close()

    async def rude(_, writer):
        writer.close()

    for behaviour in (silent, rude):
        server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ScanUnavailable):
            await Scanner(address, timeout_s=0.3).found(b"x")
        done.set()
        server.close()
        await server.wait_closed()
