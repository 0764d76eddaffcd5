"""Requests made from our OpenAPI document, right and wrong ones: whatever comes, the server does not fail.

Schemathesis reads the document and makes the requests. It knows nothing of FHIR; so some of its cases are given
ids, bodies and criteria that get past the first check, and are tried deeper in.
"""

import json
from collections import Counter
from contextlib import suppress
from unittest import SkipTest

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from continuum.fhir.search_params import params
from continuum.fhir.types import TYPES
from tests.faults.figures import SEED, Proof, rounds

pytestmark = pytest.mark.server

CASES = rounds("CASES", 1_000)
PROMISED = {"CASES": 5_000}
WAIT_S = 30
MODIFIERS = ("", ":missing", ":not", ":exact", ":contains", ":above", ":below", ":identifier", ":Patient", ":nonsense")
VALUES = (
    "true", "2026", "2026-02-30", "gt5", "5.4|http://unitsofmeasure.org|mg", "|", "a|b|c", "Patient/1", "urn:oid:1.2",
    "a$b", "\\", ",", "-1", "1e400", "ap", "http://example.org/x", "*", "Observation:subject", "-date,_id", "0",
)  # fmt: skip
CONTROLS = ("_sort", "_count", "_include", "_revinclude", "_total", "_summary", "_elements", "_id", "_lastUpdated",
            "_cursor", "_has:Observation:patient:code", "_type", "_list", "_filter", "_text", "_format")  # fmt: skip


def stock(api):
    """A few resources of several types; returns them as the server keeps them."""
    texts = [
        {"resourceType": "Patient", "name": [{"family": "Rivera"}], "birthDate": "1990-01-01"},
        {"resourceType": "Basic", "code": {"text": "a"}},
        {"resourceType": "Organization", "name": "Ward"},
        {"resourceType": "Group", "type": "person", "actual": True},
    ]
    found = [api.post("/fhir/" + text["resourceType"], json=text).json() for text in texts]
    subject = {"reference": f"Patient/{found[0]['id']}"}
    more = [
        {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject,
         "valueQuantity": {"value": 5.40, "system": "http://unitsofmeasure.org", "code": "mg"}},
        {"resourceType": "Condition", "subject": subject, "onsetDateTime": "2026-01"},
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": subject},
    ]  # fmt: skip
    return found + [api.post("/fhir/" + text["resourceType"], json=text).json() for text in more]


def deepen(case, dice, known):
    """Puts something into a case that a FHIR client might send."""
    one = dice.choice(known)
    places = case.path_parameters or {}
    if "type" in places and dice.random() < 0.5:
        places["type"] = one["resourceType"]
    if "id" in places and dice.random() < 0.5:
        places["id"] = one["id"]
    if "version" in places and dice.random() < 0.5:
        places["version"] = dice.choice([1, 2, 999_999_999])
    if isinstance(case.body, dict) and "resourceType" in case.body and dice.random() < 0.7:
        case.body = damaged(one, dice, case.body)
    if dice.random() < 0.7:
        case.query = criteria(str(places.get("type", "Patient")), dice) if case.method == "GET" else {}
    if dice.random() < 0.5:
        case.headers = {name: text for name, text in (case.headers or {}).items() if dice.random() < 0.3}


def damaged(resource, dice, other):
    """A resource with one of its elements gone, doubled, turned into something else, or into part of the case."""
    found = json.loads(json.dumps(resource))
    name = dice.choice(list(found))
    match dice.randrange(5):
        case 0:
            del found[name]
        case 1:
            found[name] = [found[name], found[name]]
        case 2:
            found[name] = dice.choice([None, [], {}, "", 0, -1, 1e300, "\u0000", [[[]]], {"reference": "Patient/x"}])
        case 3:
            found = {**other, **found}
    return found


def criteria(resource_type, dice):
    """Some criteria, most of them of the type."""
    codes = [*params(resource_type)] if resource_type in TYPES else []
    names = [
        dice.choice(CONTROLS) if not codes or dice.random() < 0.3 else dice.choice(codes) + dice.choice(MODIFIERS)
        for _ in range(dice.randrange(1, 4))
    ]
    return {name: dice.choice(VALUES) for name in names}


class Tried:
    """Cases, what they were answered with, and the answers that should not be."""

    def __init__(self):
        self.statuses = Counter()
        self.failures = []

    def take(self, case, answer):
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and answer.status_code not in (501, 507):
            self.failures.append(f"{answer.status_code} to {case.as_curl_command()}"[:2000])


def try_all(running, cases, every=1):
    """As many cases as asked, shared evenly among the operations; half of them break the document's rules.

    every: 3 takes only each third operation.
    """
    document = httpx.get(f"{running.origin}/openapi.json")
    schema = schemathesis.openapi.from_dict(document.json())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 40
    operations = operations[::every]
    tried = Tried()
    bearer = {"Authorization": f"Bearer {running.token(lives_s=4 * 3600)}"}
    with requests.Session() as session, httpx.Client(base_url=running.origin, headers=bearer) as api:
        known = stock(api)
        share = max(1, cases // len(operations) // 2)
        for number, operation in enumerate(operations):
            for mode in schemathesis.GenerationMode:
                try_one(operation, mode, share, SEED + number, session, running, bearer, known, tried)
        number = 0
        while tried.statuses.total() < cases:
            operation, number = operations[number % len(operations)], number + 1
            more = max(1, (cases - tried.statuses.total()) // len(operations))
            mode = schemathesis.GenerationMode.POSITIVE
            try_one(operation, mode, more, SEED + 1_000 + number, session, running, bearer, known, tried)
    return tried


def try_one(operation, mode, cases, chance, session, running, bearer, known, tried):
    """The cases of one operation."""

    @seed(chance)
    @settings(max_examples=cases, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
    def trying(case, dice):
        if dice.random() < 0.5:
            deepen(case, dice, known)
        answer = case.call(base_url=f"{running.origin}/fhir", session=session, headers=bearer, timeout=WAIT_S)
        tried.take(case, answer)

    with suppress(Unsatisfiable, SkipTest):  # nothing to break in an operation without parameters
        trying()


def test_some_requests_from_the_document_do_not_make_the_server_fail(running):
    tried = try_all(running, rounds("SMOKE_CASES", 60), every=4)
    assert tried.failures == []
    assert tried.statuses.total() >= 60
    assert {200, 400} <= set(tried.statuses)


@pytest.mark.proof
@pytest.mark.timeout(3_600)
def test_thousands_of_requests_from_the_document_do_not_make_the_server_fail(running):
    proof = Proof(
        "openapi", "Requests made from the OpenAPI document", __doc__.partition("\n\n")[2],
        "tests/faults/test_openapi.py", {"CASES": CASES}, PROMISED,
    )  # fmt: skip
    tried = try_all(running, CASES)
    total = tried.statuses.total()
    proof.held("Requests", total, f"at least {CASES:,}", holds=total >= CASES)
    proof.zero("Answers 5xx (501 and 507 have reasons of their own)", tried.failures)
    proof.told("Answers", ", ".join(f"{count:,} of {status}" for status, count in sorted(tried.statuses.items())))
    alive = httpx.get(f"{running.origin}/readyz").status_code
    proof.held(
        "The same server process afterwards", alive, "200", holds=alive == 200 and running.process.poll() is None
    )
    proof.close()
