"""The trace in plain words: who looked at a record, when and why. Pure."""

from dataclasses import dataclass
from typing import Any

from continuum.access.actor import PURPOSES
from continuum.kernel.clock import instant

_DEEDS = {
    "break-the-glass": "broke the glass to open the record",
    "create": "added {what}",
    "delete": "deleted {what}",
    "events": "was sent news again about {what}",
    "everything": "looked at the whole record",
    "exported": "took a copy of the record",
    "history": "looked at earlier versions of {what}",
    "notify": "was sent news about {what}",
    "patch": "changed {what}",
    "read": "looked at {what}",
    "search": "found {what} in a search",
    "transaction": "read or changed several entries of the record",
    "update": "changed {what}",
    "vread": "looked at an earlier version of {what}",
}
_THINGS = {
    "AllergyIntolerance": "an allergy",
    "Appointment": "an appointment",
    "Condition": "a problem or diagnosis",
    "Encounter": "a visit",
    "Immunization": "an immunization",
    "MedicationRequest": "a prescription",
    "Observation": "a measurement or result",
    "Patient": "the personal details",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One act about a patient. instant: ISO 8601, UTC. reason: what was given as reason, else the purpose in words."""

    event: str
    instant: str
    who: str
    role: str
    deed: str
    reason: str
    emergency: bool
    refused: bool

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        tried = "tried but was refused: " if self.refused else ""
        return f"{self.who} ({self.role}) {tried}{self.deed}, for {self.reason}."


def told(row: Any, types: dict[int, str]) -> Told:
    """One row of the trace, as the patient whom it touched is told it."""
    kind = types.get(row["type"], "")
    what = _THINGS.get(kind, f"a {kind}" if kind else "entries of the record")
    interaction = row["interaction"]
    purpose = PURPOSES.get(row["purpose"], row["purpose"])
    broken = interaction == "break-the-glass"
    return Told(
        event=str(row["seq"]),
        instant=instant(row["at"]),
        who=row["actor"],
        role=row["role"].replace("-", " "),
        deed=_DEEDS.get(interaction, f"did “{interaction}” with {{what}}").format(what=what),
        reason=f"{purpose}: {row['query']}" if broken and row["query"] and not row["outcome"] else purpose,
        emergency=row["purpose"] == "ETREAT",
        refused=bool(row["outcome"]),
    )
