"""Reading a form of the chart: who writes, what is wrong in it, what is unusual. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from continuum.chart.entry import N_
from continuum.ui.people import Problem

Json = dict[str, Any]
Fields = Mapping[str, str]
TITLE_MAX_CHARS = 200
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"


def table(name: str, code: str) -> Json:
    """A CodeableConcept of one of HL7's own tables."""
    return {"coding": [{"system": f"{TERMINOLOGY}{name}", "code": code}]}


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when. now: an instant with its zone, in FHIR's form."""

    name: str
    facility_id: str | None
    now: str
    today: date


@dataclass(frozen=True, slots=True)
class Checked:
    """What a form came to: resources without ids, what is wrong, and what is unusual."""

    resources: tuple[Json, ...] = ()
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Sheet:
    """Collects what is wrong while a form is read."""

    fields: Fields
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)

    def text(self, name: str, most: int = TITLE_MAX_CHARS) -> str:
        """One line of text."""
        found = " ".join(self.fields.get(name, "").split())
        if len(found) > most:
            self.problems.append(Problem(name, N_("This is too long.")))
        return found

    def choice(self, name: str, known: Container[str]) -> str:
        """One of what is known; anything else is as if nothing was chosen."""
        found = self.fields.get(name, "")
        return found if found in known else ""

    def day(self, name: str, today: date) -> str:
        """A date of any precision that is not in the future."""
        found = self.fields.get(name, "").strip()
        if not found:
            return ""
        parts = found.split("-")
        try:
            numbers = [int(part) for part in parts]
            whole = date(numbers[0], *[*numbers[1:], 1, 1][:2])
        except (ValueError, TypeError, IndexError):
            self.problems.append(Problem(name, N_("Write a date as 2026, 2026-03 or 2026-03-31.")))
            return ""
        if whole > today:
            self.problems.append(Problem(name, N_("This day has not come yet.")))
        return "-".join(f"{number:04d}" if not at else f"{number:02d}" for at, number in enumerate(numbers))
