"""Who looked at a record, when and why, out of the trace as AuditEvents show it (IHE BALP 1.1)."""

from dataclasses import dataclass

from continuum.access import Page
from continuum.access.actor import PURPOSES
from continuum.chart.entry import N_
from continuum.chart.reading import Resource, first_words
from continuum.fhir.json import parse

ACTS = {"C": N_("wrote"), "U": N_("changed"), "D": N_("removed"), "R": N_("read"), "E": N_("looked through")}
"""AuditEvent.action in plain words."""

BROKE_THE_GLASS = N_("opened all of it in an emergency")
HANDED_OUT = N_("handed out a summary by link")
"""What a health link that was made, opened or closed is called."""


@dataclass(frozen=True, slots=True)
class Look:
    """One act on somebody's record. act is a message of ours; why is the purpose in words.

    words: the reason that was written, of one who broke the glass.
    """

    when: str
    who: str
    role: str
    act: str
    what: str
    why: str
    refused: bool
    words: str = ""


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
        act=_act(event),
        what=next((kind for kind in map(_kind, event.get("entity", ())) if kind not in {"", "Patient"}), ""),
        why=PURPOSES.get(purpose, purpose),
        refused=event.get("outcome") not in {"0", None},
        words=_reason(event) if _is(event, _BROKEN) else "",
    )


def _kind(entity: Resource) -> str:
    return str(entity.get("what", {}).get("reference", "")).partition("/")[0]


_BROKEN = "break-the-glass"


def _act(event: Resource) -> str:
    if _is(event, "share"):
        return HANDED_OUT
    if _is(event, _BROKEN):
        return BROKE_THE_GLASS
    return ACTS.get(str(event.get("action", "")), ACTS["R"])


def _is(event: Resource, act: str) -> bool:
    return any(one.get("code") == act for one in event.get("subtype", ()))


def _reason(event: Resource) -> str:
    details = [one for entity in event.get("entity", ()) for one in entity.get("detail", ())]
    return next((str(one.get("valueString", "")) for one in details if one.get("type") == "reason"), "")
