"""Trains the compression dictionary of stored bodies on our sample families and the examples of R4 (CC0).

    python scripts/train_dictionary.py

Run once for a release line: bodies are stored with it, so it may be added to but never replaced.
"""

import random
import sys

import zstandard
from r4_packages import ROOT, files

sys.path.insert(0, str(ROOT / "src"))
from continuum.fhir.json import dump, parse
from continuum.record.body import tail
from continuum.samples.world import generate

PACKAGE = "hl7.fhir.r4.examples@4.0.1"
DEFINITIONS = {"StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "OperationDefinition", "ConceptMap"}
SIZE_BYTES = 64 * 1024
SAMPLE_MAX_BYTES = 16 * 1024


def main() -> None:
    """Writes `src/continuum/record/body.zdict`."""
    samples: list[bytes | bytearray | memoryview] = []
    for _, resource in files(PACKAGE):
        if resource.get("resourceType") in DEFINITIONS or "resourceType" not in resource:
            continue
        resource.pop("text", None)  # narratives of the examples are unlike those of a clinic
        members = [entry["resource"] for entry in resource.get("entry", ()) if "resource" in entry] or [resource]
        for member in members:
            member.pop("text", None)
            text = tail(parse(dump(member)))
            if len(text) <= SAMPLE_MAX_BYTES:
                samples.append(text)
    for number, resource in enumerate(generate(families=40, seed=7, keep=0.5)):
        if number % 2 == 0:
            samples.append(tail(resource))
    random.Random(1).shuffle(samples)  # noqa: S311  any fixed order will do
    trained = zstandard.train_dictionary(SIZE_BYTES, samples, dict_id=1)
    (ROOT / "src" / "continuum" / "record" / "body.zdict").write_bytes(trained.as_bytes())
    print(f"Trained on {len(samples)} bodies of {sum(map(len, samples)) / len(samples):.0f} bytes on average.")


if __name__ == "__main__":
    main()
