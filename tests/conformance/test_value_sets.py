"""What R4's value sets hold by our reading of their definitions, against the expansions that R4 publishes."""

import json

from continuum.fhir.terminology import Terminology, hierarchy_of
from continuum.kernel.errors import UnusableParameter

NOT_HERE = ("http://snomed.info/sct", "http://loinc.org")
"""Code systems of which the package has only fragments."""
WIDER = {
    # R4's expansions leave out concepts that are abstract or retired, which a record may hold all the same.
    "http://hl7.org/fhir/ValueSet/account-type", "http://hl7.org/fhir/ValueSet/consent-category",
    "http://hl7.org/fhir/ValueSet/coverage-type", "http://hl7.org/fhir/ValueSet/detectedissue-mitigation-action",
    "http://hl7.org/fhir/ValueSet/diagnostic-service-sections", "http://hl7.org/fhir/ValueSet/item-type",
    "http://hl7.org/fhir/ValueSet/observation-interpretation",
    "http://hl7.org/fhir/ValueSet/patient-contactrelationship",
    "http://hl7.org/fhir/ValueSet/provenance-activity-type", "http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype",
    "http://hl7.org/fhir/ValueSet/security-labels", "http://terminology.hl7.org/ValueSet/v2-0487",
    "http://terminology.hl7.org/ValueSet/v2-0916", "http://terminology.hl7.org/ValueSet/v3-ActCode",
    "http://terminology.hl7.org/ValueSet/v3-ActConsentDirective", "http://terminology.hl7.org/ValueSet/v3-ActReason",
    "http://terminology.hl7.org/ValueSet/v3-ServiceDeliveryLocationRoleType",
    # They follow one parent of a concept; these have further ones in their property subsumedBy.
    "http://hl7.org/fhir/ValueSet/detectedissue-category", "http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType",
    # Its expansion ends after a thousand codes.
    "http://hl7.org/fhir/ValueSet/c80-doc-typecodes",
}  # fmt: skip


def listed(contains):
    found = set()
    for one in contains:
        if "code" in one and not one.get("abstract"):
            found.add((one.get("system", ""), one["code"]))
        found |= listed(one.get("contains", ()))
    return found


def test_value_sets_hold_what_r4_says(examples, expansions):
    resources = [json.loads(raw) for raw in examples.values() if b"ValueSet" in raw or b"CodeSystem" in raw]
    # Without their own expansions, which would be taken where a definition cannot be read.
    sets = {one["url"]: {**one, "expansion": None} for one in resources if one["resourceType"] == "ValueSet"}
    sets = {url: {name: value for name, value in one.items() if value is not None} for url, one in sets.items()}
    systems = {one["url"]: hierarchy_of(one) for one in resources if one["resourceType"] == "CodeSystem"}
    known = Terminology(sets, systems)
    same, unknown, wider = 0, [], set()
    for one in map(json.loads, expansions.values()):
        if one["resourceType"] != "ValueSet" or "expansion" not in one or one["url"] not in sets:
            continue
        try:
            members = known.members(one["url"])
        except UnusableParameter as missing:
            unknown.append((one["url"], str(missing)))
            continue
        if any(code is None and not (system in systems and systems[system].complete) for system, code in members):
            continue
        whole = [systems[system] for system, code in members if code is None]
        found = {member for member in members if member[1] is not None}
        found |= {(system.url, code) for system in whole for code in system.properties}
        published = listed(one["expansion"].get("contains", ()))
        assert published <= found, one["url"]
        if published == found:
            same += 1
        else:
            wider.add(one["url"])
    assert [one for one in unknown if not any(system in one[1] for system in NOT_HERE)] == []
    assert wider == WIDER
    assert same >= 450
