"""Which resources speak of what the law or tact protects: by labels, by codes, and by the words beside them. Pure.

It is made to close rather than to open: a resource that only might speak of it counts as if it did.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from continuum.chart.entry import N_

Resource = Mapping[str, Any]
KINDS: Mapping[str, str] = {
    "behavioral": N_("behavioral health"),
    "sexual": N_("sexual and reproductive health"),
    "hiv": N_("HIV"),
    "substance": N_("substance use"),
    "genetics": N_("genetic tests"),
    "pathology": N_("tissue and cell tests"),
}
"""What is told apart, in words."""
PROTECTED = frozenset({"behavioral", "sexual", "hiv", "substance"})
"""What stays closed in a teenager's record, and in a grant that does not name it."""
LABELS = "PSY BH MH SEX STD HIV ETH ETHUD 42CFRPart2"
"""The security labels of PROTECTED (v3-ActCode, and those in use beside it): the door itself keeps these closed."""
_BY_LABEL = {
    "PSY": "behavioral", "BH": "behavioral", "MH": "behavioral", "SEX": "sexual", "STD": "sexual", "HIV": "hiv",
    "ETH": "substance", "ETHUD": "substance", "42CFRPart2": "substance", "GDIS": "genetics",
}  # fmt: skip
_ICD = (
    (re.compile(r"F1[0-9]|Z71\.4|Z71\.5|Z72\.0|Z86\.4|T40|T43\.6"), "substance"),
    (re.compile(r"F(?:0[1-9]|[2-9][0-9])|R45|Z91\.5|X7[1-9]|X8[0-3]|T14\.91|Z13\.3"), "behavioral"),
    (re.compile(r"B20|Z21|R75|Z11\.4|Z20\.6|O98\.7"), "hiv"),
    (re.compile(r"A5[0-9]|A6[0-4]|N7[0-7]|O[0-9]|Z3[0-9]|Z64\.0|Z11\.3|Z20\.2|Z72\.5|T74\.2|F52|F64"), "sexual"),
)
"""ICD-10-CM by chapter: F, Z and O codes of these."""
_LOINC = {
    **dict.fromkeys(
        ("7917-8", "56888-1", "75622-1", "20447-9", "25836-8", "24012-7", "29893-5", "30361-0", "69668-2", "89365-1",
         "48345-3", "49580-4", "68961-2", "80387-4", "85037-0"), "hiv"),
    **dict.fromkeys(
        ("51969-4", "53037-8", "21636-6", "21640-8", "55232-3", "81247-9", "55233-1", "48018-6", "69548-6", "29770-5"),
        "genetics"),
    **dict.fromkeys(
        ("60567-5", "11526-1", "22637-3", "11529-5", "66117-5", "47526-9", "33717-0", "47528-5", "22634-0"),
        "pathology"),
    **dict.fromkeys(
        ("44249-1", "44261-6", "69737-5", "70274-6", "73831-0", "55757-9", "89204-2", "71354-5", "93267-3"),
        "behavioral"),
    **dict.fromkeys(("75626-2", "72109-2", "82667-7", "82666-9", "72166-2", "3426-4", "19295-5"), "substance"),
    **dict.fromkeys(("2106-3", "2118-8", "21613-5", "24111-7", "43304-5", "82810-3", "11996-6"), "sexual"),
}  # fmt: skip
_SERVICE = {"GE": "genetics", "SP": "pathology", "CP": "pathology", "CG": "genetics", "MG": "genetics"}
"""HL7 v2 table 0074, diagnostic services."""
_WORDS = (
    (re.compile(
        r"\bhiv\b|immunodeficiency virus|antiretrovir|\bprep\b|emtricitabin|tenofovir|dolutegravir|bictegravir"
    ), "hiv"),
    (re.compile(
        r"depress|anxiety|ptsd|post-?traumatic|psych|suicid|self.harm|bipolar|schizo|adhd|attention deficit|\beating"
        r" disorder|anorexia nervosa|bulimia|mental|behaviou?ral|counsel|\bphq|\bgad-?7|sertraline|fluoxetine"
        r"|escitalopram|citalopram|paroxetine|venlafaxine|duloxetine|bupropion|trazodone|quetiapine|aripiprazole"
        r"|lithium|methylphenidate|amphetamine|prazosin|buspirone"), "behavioral"),
    (re.compile(
        r"sexual|contracep|pregnan|prenatal|antenatal|abortion|chlamyd|gonorr|syphilis|herpes|papilloma|\bhpv\b|\bstd\b"
        r"|\bsti\b|genital|intrauterine device|\biud\b|ethinyl|levonorgestrel|etonogestrel|medroxyprogest|norethin"
        r"|drospirenone|gender|menstru|obstet|deliver(?:y|ed) of|gestation|childbirth"), "sexual"),
    (re.compile(
        r"alcohol|opioid|cannabi|marijuana|cocaine|heroin|substance|drug (?:use|abuse|misuse|depend|screen)|addict"
        r"|overdose|withdrawal|buprenorphine|naltrexone|methadone|naloxone|disulfiram|\baudit-?c\b|smok|tobacco|vaping"
        r"|nicotin"), "substance"),
    (re.compile(r"genetic|gene (?:mutation|variant|analysis)|\bbrca|karyotype|chromosom|genom|\bdna\b"), "genetics"),
    (re.compile(r"patholog|biops|cytolog|histolog|\bpap (?:smear|test)"), "pathology"),
)  # fmt: skip
_SEVERAL = re.compile(
    r"immunodeficiency virus|post-?traumatic|self.harm|attention deficit|eating disorder|anorexia nervosa|bulimia"
    r"|intrauterine device|deliver(?:y|ed) of|drug (?:use|abuse|misuse|depend|screen)"
    r"|gene (?:mutation|variant|analysis)|pap (?:smear|test)"
)
"""Those of _WORDS that are several words."""
_ROUTINE = frozenset({"Immunization", "Coverage", "Appointment"})
"""Given or kept as a matter of routine: a word in them, such as a vaccine's name, says nothing of the person."""
_KNOWN_MAX, _KNOWN_CHARS = 8_192, 120
"""How many codes and texts of how many signs are looked at once only."""
_TEXT_KEYS = frozenset({"display", "text", "title", "conclusion", "description", "valueString", "summary"})


def kinds(resource: Resource) -> frozenset[str]:
    """What of KINDS a resource speaks of."""
    found = {
        _BY_LABEL[code]
        for label in resource.get("meta", {}).get("security", ())
        if (code := label.get("code")) in _BY_LABEL
    }
    codings, texts = _told(resource)
    for system, code in codings:
        found |= _of_code(system, code)
    if resource["resourceType"] not in _ROUTINE:
        for text in texts:
            found |= _of_text(text) if len(text) <= _KNOWN_CHARS else _of_words(text)
        # "Pap" and "Smear" may stand in texts side by side.
        if len(texts) > 1:
            for beside in _SEVERAL.findall(" ".join(texts).casefold()):
                found |= _of_words(beside)
    return frozenset(found)


def _told(resource: Resource) -> tuple[list[tuple[str, str]], list[str]]:
    """Every coding of a resource, and its words for people, in their order; not what stands in its meta."""
    codings: list[tuple[str, str]] = []
    texts: list[str] = []
    _tell(resource, codings, texts)
    return codings, texts


def _tell(node: Any, codings: list[tuple[str, str]], texts: list[str]) -> None:
    system, code = node.get("system"), node.get("code")
    if system.__class__ is str and code.__class__ is str:
        codings.append((system, code))
    for key, value in node.items():
        kind = value.__class__
        if kind is str:
            if key in _TEXT_KEYS:
                texts.append(value)
        elif key == "meta":
            continue
        elif kind is dict:
            _tell(value, codings, texts)
        elif kind is list:
            for one in value:
                if one.__class__ is dict:
                    _tell(one, codings, texts)


@lru_cache(maxsize=_KNOWN_MAX)
def _of_code(system: str, code: str) -> frozenset[str]:
    if system.endswith("/loinc.org") and code in _LOINC:
        return frozenset({_LOINC[code]})
    if "icd-10" in system:
        return frozenset(kind for pattern, kind in _ICD if pattern.match(code))
    if system.endswith("v2-0074") and code in _SERVICE:
        return frozenset({_SERVICE[code]})
    return frozenset()


def _of_words(text: str) -> frozenset[str]:
    folded = text.casefold()
    return frozenset(kind for pattern, kind in _WORDS if pattern.search(folded))


_of_text = lru_cache(maxsize=_KNOWN_MAX)(_of_words)
"""The same words come again and again in a record: names of tests, of diagnoses, of medicines."""


def references(value: object) -> Iterator[str]:
    """Every reference in a resource, as `Type/id`."""
    if isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str):
            yield target
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
