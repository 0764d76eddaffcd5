"""The units of R4's own value sets and of LOINC are understood."""

import json

from continuum.fhir.ucum import UCUM, unit_of

UNKNOWN_OF_LOINC = {"[foz_br]", "[gal_br]", "[pt_br]", "[qt_br]", "[mi_us]"}
"""Measures of the British Empire, and a mile that nobody is measured in: comparable only with themselves."""


def codes(found, node):
    if isinstance(node, dict):
        concepts = node.get("concept", []) if node.get("system") == UCUM else []
        for one in [node, *concepts]:
            if isinstance(one.get("code"), str) and (one is not node or node.get("system") == UCUM):
                found.add(one["code"])
        for value in node.values():
            codes(found, value)
    elif isinstance(node, list):
        for value in node:
            codes(found, value)


def test_units_of_loinc_are_understood_but_for_five(examples):
    found: set[str] = set()
    codes(found, json.loads(examples["Bundle-valueset-expansions.json"]))
    assert len(found) > 900
    assert {code for code in found if unit_of(code) is None} == UNKNOWN_OF_LOINC


def test_most_of_the_common_units_are_understood(examples):
    found: set[str] = set()
    codes(found, json.loads(examples["ValueSet-ucum-common.json"]))
    known = [code for code in found if unit_of(code) is not None]
    assert len(found) > 250
    assert len(known) > 0.65 * len(found), sorted(found - set(known))
