"""Random searches over the small random worlds."""

import json
import random
from typing import Any

from continuum.record.tests import pairs
from continuum.record.tests.worlds import (
    CODES,
    DATES,
    FAMILIES,
    GIVEN,
    ID_TYPES,
    LISTS,
    LOINC,
    MR,
    ORGANIZATIONS,
    PATIENTS,
    PLACES,
    PRACTITIONERS,
    PROFILES,
    SOURCES,
    SSN,
    UCUM,
    WORDS,
)


def search(rng: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """A random search: a type and its criteria."""
    kind = rng.choice((*("Patient", "Observation", "Observation", "Encounter", "Location") * 2, *pairs.CRITERIA))
    return kind, [_criterion(rng, kind, 0) for _ in range(rng.choice((0, 1, 1, 2, 2, 3)))]


def filtered(rng: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """A random `_filter` on a type, beside at most one other criterion."""
    kind = rng.choice(("Patient", "Observation", "Encounter"))
    more = [_criterion(rng, kind, 1)] if rng.random() < 0.3 else []
    return kind, [("_filter", _filter(rng, kind, 0)), *more]


def _filter(rng: random.Random, kind: str, depth: int) -> str:
    shape = rng.choice(("test", "test", "and", "or", "not", "mixed", "chain")) if depth < 3 else "test"
    if shape in {"and", "or"}:
        parts = [_filter(rng, kind, depth + 1) for _ in range(rng.choice((2, 3)))]
        return "(" + f" {shape} ".join(parts) + ")"
    if shape == "not":
        return f"not ({_filter(rng, kind, depth + 1)})"
    if shape == "mixed":
        parts = [_test(rng, kind) for _ in range(3)]
        return f"({parts[0]} and {parts[1]} or {parts[2]})"
    if shape == "chain" and kind != "Patient":
        code = "subject" if kind == "Observation" and rng.random() < 0.5 else "patient"
        inner = f"[{_filter(rng, 'Patient', depth + 1)}]" if rng.random() < 0.5 else ""
        return f"{code}:Patient{inner}.{_test(rng, 'Patient')}"
    return _test(rng, kind)


def _test(rng: random.Random, kind: str) -> str:
    name, operators, values = rng.choice(_TESTS[kind])
    if rng.random() < 0.15:
        return f"{name} pr {rng.choice(('true', 'false'))}"
    value = rng.choice(values)
    return f"{name} {rng.choice(operators)} {json.dumps(value) if rng.random() < 0.5 or ' ' in value else value}"


def across(rng: random.Random) -> list[tuple[str, str]]:
    """A random search across types."""
    kinds = rng.sample(("Patient", "Observation", "Encounter", "Practitioner", "List"), rng.choice((1, 2, 3)))
    given = [("_type", ",".join(kinds))] if rng.random() < 0.8 else []
    criteria = (
        _on_list, _words("_content", WORDS + FAMILIES), _uri("_source", SOURCES, below=True),
        _any_id((*PATIENTS[:3], "obs-1", "enc-2")), _updated,
    )  # fmt: skip
    given += [rng.choice(criteria)(rng, 0) for _ in range(rng.choice((0, 1, 1, 2)))]
    if rng.random() < 0.3:
        return given
    sorts = ["_id", "-_id", "-_lastUpdated", "_source,-_id", "-_tag", "_profile,-_lastUpdated"]
    if len(given) and given[0][0] == "_type":
        sorts += ["identifier", "-identifier,_id"]
        if set(kinds) <= {"Observation", "Encounter"}:
            sorts += ["-date", "status,date", "patient,-_id", "-subject", "date,status"]
        elif set(kinds) <= {"Patient", "Practitioner"}:
            sorts += ["family,given", "-gender", "gender,name", "-telecom"]
    return [*given, ("_sort", rng.choice(sorts))]


def _on_list(rng: random.Random, _: int) -> tuple[str, str]:
    return "_list", rng.choice((*LISTS, ",".join(LISTS), f"List/{LISTS[0]}", "list-9"))


def _updated(rng: random.Random, _: int) -> tuple[str, str]:
    return "_lastUpdated", f"{rng.choice(('gt', 'le'))}2023-11-14T22:13:20.{rng.randint(0, 70):03}Z"


def order(rng: random.Random, kind: str) -> list[tuple[str, str]]:
    """A random `_sort`, or none."""
    if rng.random() < 0.4:
        return []
    codes = rng.sample(_SORTS[kind], rng.choice((1, 1, 2, 3)))
    asked = [("_sort", ",".join(rng.choice(("", "-")) + code for code in codes))]
    return [*asked, ("near", _places(rng))] if "near" in codes else asked


def _criterion(rng: random.Random, kind: str, depth: int) -> tuple[str, str]:
    choices = list(_CRITERIA[kind])
    if depth < 2 and kind in _LINKS:
        choices.append(_LINKS[kind])
    return rng.choice(choices)(rng, depth)


def _token(name: str, systems: tuple[str, ...], codes: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        modifier = rng.choice(("", "", "", ":not", ":missing"))
        if modifier == ":missing":
            return name + modifier, rng.choice(("true", "false"))
        code = rng.choice(codes)
        forms = [code, f"{rng.choice(systems)}|{code}", f"{rng.choice(systems)}|", ",".join(rng.sample(codes, 2))]
        return name + modifier, rng.choice(forms)

    return make_one


def _string(name: str, texts: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        modifier = rng.choice(("", "", ":exact", ":contains", ":missing"))
        if modifier == ":missing":
            return name + modifier, rng.choice(("true", "false"))
        text = rng.choice(texts)
        cut = text if modifier == ":exact" else text[rng.choice((0, 0, 1, 2)) : rng.choice((2, 4, 9))]
        return name + modifier, (cut or text).replace(",", "\\,")

    return make_one


def _date(name: str, dates: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        return rng.choice(
            ((name, pairs.prefix(rng) + rng.choice(dates)), (f"{name}:missing", rng.choice(("true", "false"))))
        )

    return make_one


def _quantity(name: str) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        number = rng.choice(("5.4", "72", "5", "180.25", "100", "1e2", "0", "30.5"))
        unit = rng.choice(("", f"|{UCUM}|mg", "||mg", f"|{UCUM}|min"))
        if rng.random() < 0.5:
            number, code = rng.choice(_MEASURED)
            unit = f"|{UCUM}|{code}"
        return name, pairs.prefix(rng) + number + unit

    return make_one


_MEASURED = (
    ("0.0054", "g"), ("5.4", "mg"), ("5400", "ug"), ("7.2e-2", "g"), ("72000000", "ng"), ("72", "/min"), ("1.2", "Hz"),
    ("4320", "/h"), ("310.928", "K"), ("37.8", "Cel"), ("100", "[degF]"), ("5.4", "[iU]/L"), ("5.4", "/L"),
    ("72", "furlong"), ("72000", "/mL"), ("12", "kPa"), ("1800", "s"), ("0.5", "h"), ("0.0000054", "kg"),
)  # fmt: skip
"""Amounts as they might be asked for, in units other than those of the worlds."""


def _near(rng: random.Random, _: int) -> tuple[str, str]:
    if rng.random() < 0.15:
        return "near:missing", rng.choice(("true", "false"))
    return "near", _places(rng)


def _places(rng: random.Random) -> str:
    places = [
        f"{latitude + rng.choice((0, 0.05))}|{longitude}{rng.choice(_DISTANCES)}" for latitude, longitude in PLACES
    ]
    return ",".join(rng.sample(places, rng.choice((1, 1, 2))))


_DISTANCES = ("", "|0|km", "|15", "|15000|m", "|30|[mi_i]", "|10|mi", "|400|km", "|9000|km", "|30000|km", "|1e3|nmi")


def _reference(name: str, targets: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        target = rng.choice(targets)
        forms = [(name, target), (name, target.partition("/")[2]), (f"{name}:missing", rng.choice(("true", "false")))]
        return rng.choice(forms)

    return make_one


def _words(name: str, texts: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        found = rng.choice(texts).split()
        wanted = " ".join(rng.sample(found, rng.randint(1, len(found))))
        other = rng.choice(texts).split()[0]
        return name, rng.choice((wanted, wanted, f"{wanted},{other}", f"{wanted} {other}")).upper()

    return make_one


def _of_type(rng: random.Random, _: int) -> tuple[str, str]:
    return "identifier:of-type", f"{ID_TYPES}|{rng.choice((MR, SSN))}|{rng.choice('123')}"


def _uri(name: str, uris: tuple[str, ...], *, below: bool) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        modifier = rng.choice(("", ":above", ":missing", *((":below",) * below)))
        return name + modifier, rng.choice(("true", "false") if modifier == ":missing" else uris).replace("|", "\\|")

    return make_one


def _code_value(rng: random.Random, _: int) -> tuple[str, str]:
    number = pairs.prefix(rng) + rng.choice(("5.4", "72", "100", "60"))
    return rng.choice(
        (
            ("code-value-quantity", f"{rng.choice(CODES)}${number}"),
            ("code-value-quantity", f"{LOINC}|{rng.choice(CODES)}${number}||mg"),
            ("code-value-quantity", f"{rng.choice(CODES)}${pairs.prefix(rng)}0.0054|{UCUM}|g"),
            ("code-value-quantity", f"{LOINC}|${number}"),
            ("component-code-value-quantity", f"{rng.choice(CODES)}${number}"),
            ("combo-code-value-quantity", f"{rng.choice(CODES)}${number}"),
            ("combo-code-value-quantity", f"{LOINC}|{rng.choice(CODES)}${pairs.prefix(rng)}16|{UCUM}|kPa"),
            ("code-value-concept", f"{rng.choice(CODES)}${LOINC}|{rng.choice(CODES)}"),
            ("code-value-string", f"{rng.choice(CODES)}${rng.choice(FAMILIES)[:3]}"),
        )
    )


def _any_id(ids: tuple[str, ...]) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        return "_id", ",".join(rng.sample(ids, 2))

    return make_one


def _observation_link(rng: random.Random, depth: int) -> tuple[str, str]:
    if rng.random() < 0.5:
        name, text = _criterion(rng, "Patient", depth + 1)
        return f"{rng.choice(('subject:Patient', 'patient'))}.{name}", text
    name, text = _criterion(rng, "Encounter", depth + 1)
    return f"encounter.{name}", text


def _patient_link(rng: random.Random, depth: int) -> tuple[str, str]:
    kind, by = rng.choice((("Observation", "patient"), ("Observation", "subject"), ("Encounter", "subject")))
    name, text = _criterion(rng, kind, depth + 1)
    return f"_has:{kind}:{by}:{name}", text


def _encounter_link(rng: random.Random, depth: int) -> tuple[str, str]:
    if rng.random() < 0.5:
        name, text = _criterion(rng, "Patient", depth + 1)
        return f"patient.{name}", text
    name, text = _criterion(rng, "Observation", depth + 1)
    return f"_has:Observation:encounter:{name}", text


_PEOPLE = tuple(f"Patient/{one}" for one in PATIENTS)
_DOCS = tuple(f"Practitioner/{one}" for one in PRACTITIONERS)
_CRITERIA: dict[str, tuple[Any, ...]] = {
    **pairs.CRITERIA,
    "Patient": (
        _token("identifier", ("urn:dod", "urn:x"), ("1", "2", "3")),
        _token("gender", ("http://hl7.org/fhir/administrative-gender",), ("male", "female")),
        _string("family", FAMILIES),
        _string("given", GIVEN),
        _string("name", FAMILIES + GIVEN),
        _date("birthdate", ("1980", "1990-05-15", "2001-02-03", "1985")),
        _reference("general-practitioner", _DOCS),
        _reference("organization", tuple(f"Organization/{one}" for one in ORGANIZATIONS)),
        _any_id(PATIENTS),
        _on_list,
        _of_type,
        _words("identifier:text", WORDS),
        _words("_content", WORDS + GIVEN),
        _uri("_source", (*SOURCES, "http://clinic.org", "http://clinic.org/", "http://clinic.org/lab/2/3"), below=True),
        _uri("_profile", (*PROFILES, "http://x.org/StructureDefinition/veteran", "http://x.org/"), below=True),
    ),
    "Location": (
        _near,
        _near,
        _token("status", ("http://hl7.org/fhir/location-status",), ("active", "suspended")),
        _string("name", FAMILIES),
        _reference("organization", tuple(f"Organization/{one}" for one in ORGANIZATIONS)),
    ),
    "Encounter": (
        _token("status", ("http://hl7.org/fhir/encounter-status",), ("finished", "planned")),
        _token("class", ("http://terminology.hl7.org/CodeSystem/v3-ActCode",), ("AMB", "IMP")),
        _date("date", DATES),
        _quantity("length"),
        _reference("patient", _PEOPLE),
        _reference("practitioner", _DOCS),
    ),
    "Observation": (
        _token("code", (LOINC, "urn:other"), CODES),
        _token("category", ("urn:cat",), ("vital", "lab")),
        _token("combo-code", (LOINC,), CODES),
        _token("status", ("http://hl7.org/fhir/observation-status",), ("final", "preliminary")),
        _token("subject:identifier", ("urn:dod",), ("3", "4")),
        _date("date", DATES),
        _quantity("value-quantity"),
        _quantity("combo-value-quantity"),
        _string("value-string", FAMILIES),
        _reference("subject", _PEOPLE),
        _reference("patient", _PEOPLE),
        _reference("performer", _DOCS + _PEOPLE),
        _code_value,
        _on_list,
        _words("code:text", WORDS),
        _words("combo-code:text", WORDS),
        _words("subject:text", FAMILIES),
        _words("_text", WORDS),
        _words("_content", WORDS + FAMILIES),
    ),
}
_SORTS = {
    **pairs.SORTS,
    "Location": ("_id", "name", "status", "organization", "near"),
    "Patient": (
        "_id", "_lastUpdated", "_source", "_profile", "family", "given", "birthdate", "gender", "identifier",
        "organization", "general-practitioner",
    ),
    "Encounter": ("_id", "_lastUpdated", "date", "length", "status", "class", "patient", "practitioner"),
    "Observation": (
        "_id", "_lastUpdated", "date", "code", "combo-code", "status", "category", "value-quantity",
        "combo-value-quantity", "value-string", "value-concept", "subject", "performer", "encounter",
        "code-value-quantity", "combo-code-value-quantity", "code-value-concept", "code-value-string",
    ),
}  # fmt: skip
_LINKS = {"Patient": _patient_link, "Observation": _observation_link, "Encounter": _encounter_link}
_OF_STRING = ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le")
_OF_RANGE = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
_TESTS: dict[str, tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = {
    "Patient": (
        ("family", _OF_STRING, (*FAMILIES, "r", "z", "an", "SMITH")),
        ("given", _OF_STRING, (*GIVEN, "maria")),
        ("gender", ("eq", "ne"), ("male", "female")),
        ("identifier", ("eq", "ne"), ("urn:dod|1", "2", "urn:dod|")),
        ("birthdate", (*_OF_RANGE, "po", "co"), ("1980", "1990-05-15", "2001-02-03", "1985")),
        ("organization", ("re", "eq", "ne"), tuple(f"Organization/{one}" for one in ORGANIZATIONS)),
        ("_id", ("eq", "ne"), PATIENTS[:3]),
    ),
    "Encounter": (
        ("status", ("eq", "ne"), ("finished", "planned")),
        ("date", (*_OF_RANGE, "po", "co"), DATES),
        ("length", _OF_RANGE, ("10", "30.5", f"30.5|{UCUM}|min")),
        ("patient", ("re", "ne"), _PEOPLE),
    ),
    "Observation": (
        ("code", ("eq", "ne"), (*CODES, f"loinc|{CODES[0]}", f"{LOINC}|{CODES[1]}")),
        ("combo-code", ("eq",), CODES),
        ("category", ("eq", "ne"), ("vital", "urn:cat|lab")),
        ("date", (*_OF_RANGE, "po", "co"), DATES),
        ("value-quantity", _OF_RANGE, ("5.4", "72", "100|ucum|mg", "5.4||mg")),
        ("code-value-quantity", ("eq",), (f"{CODES[0]}$gt5", f"{CODES[1]}$72||mg")),
        ("value-string", _OF_STRING, FAMILIES),
        ("subject", ("re", "eq", "ne"), _PEOPLE),
        ("_content", ("co",), (*WORDS, "Ram")),
    ),
}
"""Parameters of `_filter`, with the operators and the values that they are given."""
