"""What of a Patient says who somebody is, brought into one form so that it can be compared. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from continuum.fhir.text import normalise
from continuum.kernel.limits import (
    MATCH_VALUES_MAX,
)

MOTHERS_MAIDEN_NAME = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
PERSONAL = frozenset({"SS", "SB", "NI", "PPN", "TAX", "MI", "DL"})
"""Types of identifiers (v2-0203) of which a person has one: two that differ speak against each other."""
PERSONAL_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-ssn", "http://hl7.org/fhir/sid/us-mbi"})
_NOT_DIGITS = re.compile(r"\D")
_PHONE_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Person:
    """A Patient's identity; names normalised, the present ones first.

    identifiers: (system, value). personal: system → the values of identifiers of which a person has one.
    contacts: normalised telephone numbers and e-mail addresses. streets: (postal code, first line).
    birth_date: as much of YYYY-MM-DD as is known. birth_order: of a multiple birth, 0 for none that is known.
    """

    identifiers: tuple[tuple[str, str], ...]
    personal: dict[str, frozenset[str]]
    families: tuple[str, ...]
    givens: tuple[str, ...]
    birth_date: str
    gender: str
    contacts: frozenset[str]
    contacts_as_written: tuple[tuple[str, str], ...]
    streets: frozenset[tuple[str, str]]
    maiden_name: str
    birth_order: int


def person_of(patient: dict[str, Any]) -> Person:
    """The identity that a Patient resource describes; incomplete ones are welcome."""
    names = sorted(patient.get("name", ()), key=lambda name: name.get("use") in ("old", "maiden"))
    identifiers = [one for one in patient.get("identifier", ()) if one.get("value")]
    personal: dict[str, set[str]] = {}
    for one in identifiers:
        system = one.get("system", "")
        kinds = {coding.get("code") for coding in one.get("type", {}).get("coding", ())}
        if system and (system in PERSONAL_SYSTEMS or kinds & PERSONAL) and one.get("use") != "old":
            personal.setdefault(system, set()).add(one["value"])
    contacts = [one for one in patient.get("telecom", ()) if one.get("value")]
    order = patient.get("multipleBirthInteger", 0)
    return Person(
        identifiers=tuple(dict.fromkeys((one.get("system", ""), one["value"]) for one in identifiers)),
        personal={system: frozenset(values) for system, values in personal.items()},
        families=_distinct(name.get("family", "") for name in names),
        givens=_distinct(given for name in names for given in name.get("given", ())[:1]),
        birth_date=str(patient.get("birthDate", "")),
        gender=str(patient.get("gender", "")),
        contacts=frozenset(filter(None, (_contact(one) for one in contacts))),
        contacts_as_written=tuple((one.get("system", ""), one["value"]) for one in contacts),
        streets=frozenset(
            (_plain(address.get("postalCode", ""))[:5], _plain(address.get("line", [""])[0] or ""))
            for address in patient.get("address", ())
            if address.get("postalCode")
        ),
        maiden_name=_maiden_name(patient),
        birth_order=order if isinstance(order, int) else 0,
    )


def _distinct(texts: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain for text in texts if isinstance(text, str) and (plain := _plain(text))))[
        :MATCH_VALUES_MAX
    ]


def _plain(text: str) -> str:
    return normalise(text).strip()


def _contact(contact: dict[str, Any]) -> str:
    if contact.get("system") == "email":
        return str(contact["value"]).strip().lower()
    digits = _NOT_DIGITS.sub("", contact["value"])
    return digits[-_PHONE_DIGITS:] if len(digits) >= _PHONE_DIGITS else ""


def _maiden_name(patient: dict[str, Any]) -> str:
    for extension in patient.get("extension", ()):
        if extension.get("url") == MOTHERS_MAIDEN_NAME:
            return _plain(extension.get("valueString", ""))
    return ""


def swapped(date: str) -> str:
    """A date with day and month exchanged; "" when that is no other date."""
    year, _, rest = date.partition("-")
    month, _, day = rest.partition("-")
    if not day or day == month or not day.isdecimal() or int(day) > 12:
        return ""
    return f"{year}-{day}-{month}"
