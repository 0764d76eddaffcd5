"""The requests of each row, and how their answers are known to be right before anything is timed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.client import Request, Response
from benchmarks.corpus import Corpus, facility
from continuum.fhir.text import normalise

HEIGHT = "8302-2"
"""LOINC body height: common, with one quantity."""


@dataclass(frozen=True, slots=True)
class Row:
    """requests are sent round and round; `right` judges the answer to request number n; `per` divides the cost."""

    requests: list[Request]
    right: Callable[[int, Response], bool]
    per: int = 1
    signed_in: bool = False
    """Whether somebody who has signed in asks, with the rights of their role, and not the operator's own program."""


def _ids(response: Response) -> list[str]:
    found = json.loads(response.body)
    return [entry["resource"]["id"] for entry in found.get("entry", ())]


def _matches(response: Response) -> list[dict[str, Any]]:
    found = json.loads(response.body)
    return [entry["resource"] for entry in found.get("entry", ()) if entry["search"]["mode"] == "match"]


def _codes(resource: dict[str, Any]) -> set[str]:
    return {coding["code"] for coding in resource["code"].get("coding", ())}


def _get(path: str) -> Request:
    return Request("GET", f"/fhir/{path}")


def rows(corpus: Corpus) -> dict[str, Row]:
    """All rows over one corpus."""
    return {
        "read": _read(corpus),
        "read_signed_in": _read_signed_in(corpus),
        "identifier": _identifier(corpus),
        "family": _family(corpus),
        "family_page": _family(corpus, "&_count=4"),
        "patient_code": _patient_code(corpus),
        "code_value": _code_value(),
        "chain": _chain(corpus),
        "include": _include(corpus),
        "total": _total(),
        "order": _order("gender"),
        "order_led": _order("family,gender"),
        "everything": _everything(corpus),
        "create_patient": _create(corpus.patients),
        "create_observation": _create(corpus.observations),
        "transaction": _transaction(corpus),
    }


def _read(corpus: Corpus) -> Row:
    chosen = corpus.observations[:: max(len(corpus.observations) // 200, 1)][:200]

    def right(number: int, response: Response) -> bool:
        found = json.loads(response.body)
        found["meta"].pop("versionId")
        found["meta"].pop("lastUpdated")
        wanted = json.loads(json.dumps(chosen[number], default=float))
        wanted.setdefault("meta", {})
        return bool(found == wanted)

    return Row([_get(f"Observation/{one['id']}") for one in chosen], right)


def _read_signed_in(corpus: Corpus) -> Row:
    """Observations of the patients of one facility, read by a physician of it."""
    home = f"Organization/{facility(corpus)}"
    mine = {one["id"] for one in corpus.patients if one.get("managingOrganization", {}).get("reference") == home}
    plain = [
        one
        for one in corpus.observations
        if one["subject"]["reference"].removeprefix("Patient/") in mine and not one.get("meta", {}).get("security")
    ]  # fmt: skip
    chosen = plain[:: max(len(plain) // 200, 1)][:200]

    def right(number: int, response: Response) -> bool:
        return bool(json.loads(response.body)["id"] == chosen[number]["id"])

    return Row([_get(f"Observation/{one['id']}") for one in chosen], right, signed_in=True)


def _identifier(corpus: Corpus) -> Row:
    chosen = corpus.patients[:200]

    def right(number: int, response: Response) -> bool:
        return _ids(response) == [chosen[number]["id"]]

    return Row([_get(f"Patient?identifier={one['identifier'][0]['value']}") for one in chosen], right)


def _order(by: str) -> Row:
    """The first page of all patients, in an order that no index has (`gender`), or has the first key of."""

    def right(_: int, response: Response) -> bool:
        found = _matches(response)
        keys = [(normalise(one["name"][0]["family"]), one["gender"]) for one in found]
        told = [gender for _, gender in keys] if by == "gender" else keys
        return bool(found) and told == sorted(told)

    return Row([_get(f"Patient?_sort={by}")], right)


def _family(corpus: Corpus, more: str = "") -> Row:
    names = sorted({one["name"][0]["family"] for one in corpus.patients if one["name"][0]["family"].isascii()})

    def right(number: int, response: Response) -> bool:
        wanted = normalise(names[number])
        found = _matches(response)
        return bool(found) and all(
            any(normalise(name.get("family", "")).startswith(wanted) for name in one["name"]) for one in found
        )

    return Row([_get(f"Patient?family={name.replace(' ', '%20')}{more}") for name in names], right)


def _patient_code(corpus: Corpus) -> Row:
    chosen = corpus.patients[:200]
    wanted: dict[str, set[str]] = {one["id"]: set() for one in chosen}
    for one in corpus.observations:
        patient_id = one["subject"]["reference"].removeprefix("Patient/")
        if patient_id in wanted and HEIGHT in _codes(one):
            wanted[patient_id].add(one["id"])

    def right(number: int, response: Response) -> bool:
        found = _matches(response)
        dates = [one["effectiveDateTime"] for one in found]
        ids = {one["id"] for one in found}
        expected = wanted[chosen[number]["id"]]
        return dates == sorted(dates, reverse=True) and (ids == expected if len(expected) <= 20 else ids <= expected)

    paths = [f"Observation?patient={one['id']}&code={HEIGHT}&_sort=-date&_count=20" for one in chosen]
    return Row([_get(path) for path in paths], right)


def _code_value() -> Row:
    limits = list(range(60, 190))

    def right(number: int, response: Response) -> bool:
        found = _matches(response)
        return bool(found) and all(
            HEIGHT in _codes(one) and float(one["valueQuantity"]["value"]) > limits[number] for one in found
        )

    return Row([_get(f"Observation?code={HEIGHT}&value-quantity=gt{limit}&_count=20") for limit in limits], right)


def _chain(corpus: Corpus) -> Row:
    chosen = [one for one in corpus.patients[:400] if corpus.counts.get(one["id"])][:200]

    def right(number: int, response: Response) -> bool:
        person = f"Patient/{chosen[number]['id']}"
        return all(one["subject"]["reference"] == person for one in _matches(response))

    paths = [f"Observation?subject:Patient.identifier={one['identifier'][0]['value']}&_count=20" for one in chosen]
    return Row([_get(path) for path in paths], right)


def _include(corpus: Corpus) -> Row:
    seen = list(dict.fromkeys(one["subject"]["reference"] for one in corpus.encounters))[:200]
    more = "_include=Encounter:service-provider&_revinclude=Observation:encounter&_count=10"

    def right(number: int, response: Response) -> bool:
        entries = json.loads(response.body)["entry"]
        matches = {f"Encounter/{e['resource']['id']}" for e in entries if e["search"]["mode"] == "match"}
        kinds = {e["resource"]["resourceType"] for e in entries if e["search"]["mode"] == "include"}
        about = [e["resource"] for e in entries if e["resource"]["resourceType"] == "Observation"]
        return (
            bool(matches)
            and kinds <= {"Organization", "Observation"}
            and "Organization" in kinds
            and all(one["encounter"]["reference"] in matches for one in about)
        )

    return Row([_get(f"Encounter?patient={person}&{more}") for person in seen], right)


def _total() -> Row:
    totals: set[int] = set()

    def right(_: int, response: Response) -> bool:
        totals.add(json.loads(response.body)["total"])
        return len(totals) == 1 and min(totals) > 0

    return Row([_get(f"Observation?code={HEIGHT}&_total=accurate&_count=20")], right)


def _everything(corpus: Corpus) -> Row:
    near = sorted(corpus.patients, key=lambda one: abs(corpus.counts.get(one["id"], 0) - 105))[:20]

    def right(number: int, response: Response) -> bool:
        found = json.loads(response.body)["entry"]
        members = [e for e in found if _about(e["resource"]) == f"Patient/{near[number]['id']}"]
        return len(members) == corpus.counts[near[number]["id"]]

    return Row([_get(f"Patient/{one['id']}/$everything") for one in near], right)


def _about(resource: dict[str, Any]) -> str:
    reference: str = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return reference


def _create(examples: list[dict[str, Any]]) -> Row:
    bodies = []
    for one in examples[:200]:
        plain = {name: value for name, value in one.items() if name != "id"}
        bodies.append(json.dumps(plain, default=float).encode())

    def right(_: int, response: Response) -> bool:
        return response.status == 201 and json.loads(response.body)["meta"]["versionId"] == "1"

    return Row([Request("POST", f"/fhir/{examples[0]['resourceType']}", body) for body in bodies], right)


def _transaction(corpus: Corpus) -> Row:
    entries = []
    for number, one in enumerate(corpus.observations[:100]):
        plain = {name: value for name, value in one.items() if name != "id"}
        request = {"method": "POST", "url": "Observation"}
        entries.append(
            {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}", "resource": plain, "request": request}
        )
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    def right(_: int, response: Response) -> bool:
        found = json.loads(response.body)
        return [entry["response"]["status"][:3] for entry in found["entry"]] == ["201"] * 100

    return Row([Request("POST", "/fhir", json.dumps(bundle, default=float).encode())], right, per=100)
