"""Random criteria for the types whose composites are made of references or numbers."""

import random
from typing import Any

from continuum.record.tests.worlds import CHROMOSOMES, PAPERS, PLACES_WITHIN, RELATIONS, SEQUENCES

RELATED_AS = "http://hl7.org/fhir/document-relationship-type"


def prefix(rng: random.Random) -> str:
    """Any prefix of a number, or none."""
    return rng.choice(("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))


def _relation(rng: random.Random, _: int) -> tuple[str, str]:
    code = rng.choice(RELATIONS)
    return rng.choice(
        (("relation", code), ("relation:not", code), ("relation", f"{RELATED_AS}|"), ("relation:missing", "true"))
    )


def _to(rng: random.Random, _: int) -> tuple[str, str]:
    return "relatesto", f"DocumentReference/{rng.choice(PAPERS)}"


def _related(rng: random.Random, _: int) -> tuple[str, str]:
    target = rng.choice((f"DocumentReference/{(one := rng.choice(PAPERS))}", one))
    return (
        "relationship",
        f"{target}${rng.choice(('', 'http://hl7.org/fhir/document-relationship-type|'))}{rng.choice(RELATIONS)}",
    )


def _coordinates(rng: random.Random, _: int) -> tuple[str, str]:
    by, (system, codes) = rng.choice((("chromosome", CHROMOSOMES), ("referenceseqid", SEQUENCES)))
    of = rng.choice(("window", "variant"))
    if rng.random() < 0.1:
        return f"{by}-{of}-coordinate:missing", rng.choice(("true", "false"))
    places = [prefix(rng) + str(rng.choice(PLACES_WITHIN)) for _ in range(2)]
    if rng.random() < 0.5:  # what begins within a stretch and ends within another: often no one variant does both
        places = [f"lt{rng.choice(PLACES_WITHIN)}", f"gt{rng.choice(PLACES_WITHIN)}"]
    return f"{by}-{of}-coordinate", f"{rng.choice(('', f'{system}|'))}{rng.choice(codes)}${'$'.join(places)}"


def _number(name: str) -> Any:
    def make_one(rng: random.Random, _: int) -> tuple[str, str]:
        return rng.choice(
            (
                (name, prefix(rng) + str(rng.choice(PLACES_WITHIN))),
                (name, f"{rng.choice(PLACES_WITHIN)},{rng.choice(PLACES_WITHIN)}"),
                (f"{name}:missing", rng.choice(("true", "false"))),
            )
        )

    return make_one


def _chromosome(rng: random.Random, _: int) -> tuple[str, str]:
    system, codes = CHROMOSOMES
    return rng.choice(("chromosome", "chromosome:not")), rng.choice((*codes, f"{system}|", f"{system}|{codes[0]}"))


CRITERIA: dict[str, tuple[Any, ...]] = {
    "DocumentReference": (_related, _related, _relation, _to),
    "MolecularSequence": (_coordinates, _coordinates, _chromosome, _number("variant-start"), _number("window-end")),
}
SORTS = {
    "DocumentReference": ("_id", "_lastUpdated", "relation", "relationship"),
    "MolecularSequence": ("_id", "chromosome", "variant-start", "window-end", "chromosome-variant-coordinate"),
}
