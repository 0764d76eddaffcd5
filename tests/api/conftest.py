"""Clients of the one server, and what tests of the interface share."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.live import Running

FHIR = "application/fhir+json"
PATCH = "application/json-patch+json"


@pytest.fixture
async def api(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    async with running.client() as client:
        yield client


def fresh_id() -> str:
    """An id that no other test uses."""
    return uuid.uuid4().hex


def patient(**more):
    """A patient that is valid and nobody."""
    return {"resourceType": "Patient", "active": True, **more}


def outcome(response: httpx.Response, status: int) -> dict:
    """The one issue of a refusal, held to its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith(FHIR)
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    issue_ = body["issue"][0]
    assert issue_["severity"] in ("error", "fatal")
    assert issue_["code"]
    assert issue_["diagnostics"].strip()
    return issue_


async def gathered(*work):
    """All results; the first failure fails the test."""
    return await asyncio.gather(*work)
