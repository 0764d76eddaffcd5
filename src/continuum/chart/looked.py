"""Who looked at a record, when and why, out of the trace as AuditEvents show it (IHE BALP 1.1)."""

from dataclasses import dataclass

from continuum.access import Page
from continuum.access.actor import PURPOSES
from continuum.chart.entry import N_
from continuum.chart.reading import Resource, first_words
from continuum.fhir.json import parse

ACTS = {"C": N_("wrote"), "U": N_("changed"), "D": N_("removed"), "R": N_("read"), "E": N_("looked through")}
"""AuditEvent.action in plain words."""


@dataclass(frozen=True, slots=True)
class Look:
    """One act on somebody's record. act is a message of ours; why is the purpose in words."""

    when: str
    who: str
    role: str
    act: str
    what: str
    why: str
    refused: bool


def rows(page: Page) -> tuple[Look, ...]:
    """The rows of a page of the trace, newest first."""
    return tuple(_look(parse(one.body)) for one in page.matches if one.body is not None)


def _look(event: Resource) -> Look:
    agent: Resource = next((one for one in event.get("agent", ()) if one.get("requestor")), {})
    purposes = event.get("purposeOfEvent") or agent.get("purposeOfUse") or ()
    purpose = next((one.get("code", "") for part in purposes for one in part.get("coding", ())), "")
    who = agent.get("who", {})
    return Look(
        when=str(event.get("recorded", "")),
        who=str(agent.get("name") or who.get("display", "") or who.get("identifier", {}).get("value", "")),
        role=next((first_words([part]) for part in agent.get("role", ())), ""),
        act=ACTS.get(str(event.get("action", "")), ACTS["R"]),
        what=next((kind for kind in map(_kind, event.get("entity", ())) if kind not in {"", "Patient"}), ""),
        why=PURPOSES.get(purpose, purpose),
        refused=event.get("outcome") not in {"0", None},
    )


def _kind(entity: Resource) -> str:
    return str(entity.get("what", {}).get("reference", "")).partition("/")[0]
