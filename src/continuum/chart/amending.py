"""Answering a request for correction: accepted or denied, with reasons, within 60 days (45 CFR 164.526). Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from continuum.chart.entry import N_
from continuum.chart.limits import AMENDMENT_ANSWER_DAYS, REASON_MAX_CHARS
from continuum.chart.sections.amendments import WAITING
from continuum.chart.sheet import Author, Checked, Fields
from continuum.ui.people import Problem

Json = dict[str, Any]
ANSWERS: Mapping[str, str] = {"completed": N_("Accepted"), "not-done": N_("Denied")}
"""The status of an answered Communication, and what staff choose."""


def due(resource: Mapping[str, Any]) -> date | None:
    """The last day for the answer (45 CFR 164.526(b)(2)(i)); None where nobody knows when it was sent."""
    try:
        sent = date.fromisoformat(str(resource.get("sent", ""))[:10])
    except ValueError:
        return None
    return sent + timedelta(days=AMENDMENT_ANSWER_DAYS)


def waits(resource: Mapping[str, Any]) -> bool:
    """Whether nobody has answered it yet."""
    return resource.get("status") == WAITING


def answered(resource: Json, fields: Fields, author: Author) -> Checked:
    """The request with its answer. A denial says why: the person has a right to the basis (45 CFR 164.526(d)(1))."""
    decision = fields.get("decision", "")
    words = fields.get("answer", "").replace("\r\n", "\n").strip()
    problems = []
    if decision not in ANSWERS:
        problems.append(Problem("decision", N_("Choose whether the request is accepted or denied.")))
    if not words:
        problems.append(Problem("answer", N_("Write the answer: what was changed, or why it stays as it is.")))
    if len(words) > REASON_MAX_CHARS:
        problems.append(Problem("answer", N_("This is too long.")))
    if problems:
        return Checked(problems=tuple(problems))
    note = {"authorString": author.name, "time": author.now, "text": words}
    changed = {**resource, "status": decision, "note": [*resource.get("note", ()), note]}
    if decision == "not-done":
        changed["statusReason"] = {"text": words}
    return Checked((changed,))
