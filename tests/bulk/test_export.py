"""Exports, from kick-off to the last file: what is in them, what is not, and for whom."""

import pytest

from tests.bulk.conftest import admit, export

pytestmark = pytest.mark.server


async def test_an_export_of_the_system_holds_everything_as_it_is_read(running):
    async with running.client() as http:
        _, held = await admit(http)
        found = await export(http)
        for address, resource in held.items():
            assert found.one(address) == resource
        assert len(found.addresses) == len(set(found.addresses))
        total = 0
        for kind in found.lines:
            total += (await http.get(f"/{kind}?_summary=count")).json()["total"]
        assert total == len(found.addresses)
    assert found.manifest["requiresAccessToken"] is True
    assert found.manifest["request"].endswith("/fhir/$export")
    assert found.errors == []
