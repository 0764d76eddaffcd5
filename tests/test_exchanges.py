"""The judge of what pages leave in the trace, on rows that are as they should be and on rows that are not."""

import pytest

from tests.exchanges import Exchange, unused, wrong
from tests.routes import ROUTES, route_of

LABS = "GET /portal/record/{who}/{section}"
NOTE = "POST /workspace/patients/{patient_id}/{kind}/new"


def answer(page=LABS, status=200, leads="", request_id="r"):
    return Exchange(1, page, page.partition(" ")[2], status, leads, request_id)


def row(interaction="search", outcome=0, query="patient=p"):
    return {"interaction": interaction, "outcome": outcome, "type": 1, "target": None, "query": query}


@pytest.mark.parametrize(("one", "rows"), [
    (answer(), [row()]),
    (answer(), [row(), row(query="patient=p&_count=2")]),
    (answer(status=404), [row(), row(outcome=4)]),
    (answer(NOTE, 303), [row("read"), row("create"), row("read")]),
    (answer("GET /signon/sign-in"), []),
    (answer(status=303, leads="/signon/sign-in?next=/portal"), []),
    (answer(status=503), []),
])  # fmt: skip
def test_what_left_its_trace_is_not_blamed(one, rows):
    assert wrong(one, rows) == ""


@pytest.mark.parametrize(("one", "rows", "words"), [
    (answer(), [], "no row"),
    (answer(NOTE, 303, leads="/workspace/patients/p"), [], "no row"),
    (answer(), [row(), row()], "one act in two rows"),
    (answer(NOTE, 303), [row("create"), row("create")], "one act in two rows"),
    (answer(status=403), [row()], "0 rows say that it was refused"),
    (answer(status=404), [row(outcome=4), row("page", outcome=4)], "2 rows say that it was refused"),
    (answer(request_id=""), [row()], "without an id"),
])  # fmt: skip
def test_what_did_not_is(one, rows, words):
    assert words in wrong(one, rows)


def test_a_page_that_nobody_used_is_named():
    pages = {f"{method} {path}" for _, method, path in ROUTES}
    assert unused(pages) == []
    assert unused(pages - {LABS, NOTE, "GET /signon/sign-in"}) == [LABS, NOTE]


def test_an_address_is_of_the_first_page_that_answers_it():
    assert route_of("GET", "http://localhost:1/portal/record/me/labs?from=2") == "/portal/record/{who}/{section}"
    assert route_of("GET", "/portal/record/me/timeline") == "/portal/record/{who}/timeline"
    assert route_of("GET", "/portal/static/x.css") is None
    assert route_of("POST", "/workspace/patients/p/problems/new") == "/workspace/patients/{patient_id}/{kind}/new"
