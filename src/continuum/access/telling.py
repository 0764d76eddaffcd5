"""The trace in plain words: who looked at a record, when and why. Pure."""

from dataclasses import dataclass
from typing import Any

from continuum.access.actor import PURPOSES
from continuum.kernel.clock import instant

DEEDS = {
    "access-report": "looked at who had looked",
    "break-the-glass": "broke the glass to open the record",
    "correct": "moved entries that had been written into the wrong record",
    "create": "added {what}",
    "delete": "deleted {what}",
    "disclosures": "looked at the accounting of disclosures",
    "events": "was sent news again about {what}",
    "everything": "looked at the whole record",
    "exported": "took a copy of the record",
    "import": "brought entries of the record in from elsewhere",
    "lastn": "looked at the latest measurements and results",
    "match": "looked for people who are registered twice",
    "merge": "made one record of two",
    "meta": "looked at or changed how {what} is labelled",
    "history": "looked at earlier versions of {what}",
    "notify": "was sent news about {what}",
    "patch": "changed {what}",
    "preview": "looked at what moving entries between records would do",
    "read": "looked at {what}",
    "search": "found {what} in a search",
    "share": "handed out a copy of the record",
    "share-refused": "tried to open a health link with a wrong passcode",
    "transaction": "read or changed several entries of the record",
    "unmerge": "took apart two records that had been made one",
    "update": "changed {what}",
    "validate": "checked {what} for mistakes",
    "vread": "looked at an earlier version of {what}",
}
"""Interactions of the trace in plain words."""
OTHER_DEED = "did something else with {what}"
THINGS = {
    "AllergyIntolerance": "an allergy",
    "Appointment": "an appointment",
    "AuditEvent": "the list of who looked",
    "CarePlan": "a care plan",
    "Communication": "a message",
    "Consent": "a permission",
    "Condition": "a problem or diagnosis",
    "DiagnosticReport": "a report",
    "DocumentReference": "a note or document",
    "Encounter": "a visit",
    "Immunization": "an immunization",
    "MedicationRequest": "a prescription",
    "Observation": "a measurement or result",
    "Patient": "the personal details",
    "Procedure": "a procedure",
    "ServiceRequest": "an order",
    "Task": "a piece of work to be done",
}
"""Types in plain words."""
OTHER_THING, NO_THING = "an entry of the kind {kind}", "entries of the record"


@dataclass(frozen=True, slots=True)
class Told:
    """One act about a patient. at_us: when. purpose: in plain words; words: what was given as reason, or "".

    deed, thing: plain words, with the places {what} in the one and {kind} in the other for what follows.
    """

    event: str
    at_us: int
    who: str
    role: str
    deed: str
    thing: str
    kind: str
    purpose: str
    words: str
    emergency: bool
    refused: bool

    @property
    def instant(self) -> str:
        """ISO 8601, UTC."""
        return instant(self.at_us)

    @property
    def reason(self) -> str:
        """The purpose, and the reason that was given."""
        return f"{self.purpose}: {self.words}" if self.words else self.purpose

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        tried = "tried but was refused: " if self.refused else ""
        deed = self.deed.replace("{what}", self.thing.replace("{kind}", self.kind))
        return f"{self.who} ({self.role}) {tried}{deed}, for {self.reason}."


def told(row: Any, types: dict[int, str]) -> Told:
    """One row of the trace, as the patient whom it touched is told it."""
    kind = types.get(row["type"], "")
    interaction = row["interaction"]
    purpose = PURPOSES.get(row["purpose"], row["purpose"])
    broken = interaction == "break-the-glass"
    return Told(
        event=str(row["seq"]),
        at_us=row["at"],
        who=row["actor"],
        role=row["role"].replace("-", " "),
        deed=DEEDS.get(interaction, OTHER_DEED),
        thing=THINGS.get(kind, OTHER_THING if kind else NO_THING),
        kind=kind,
        purpose=purpose,
        words=row["query"] if broken and row["query"] and not row["outcome"] else "",
        emergency=row["purpose"] == "ETREAT",
        refused=bool(row["outcome"]),
    )
