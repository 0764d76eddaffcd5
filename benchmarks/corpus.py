"""The corpus of every figure: our own families, seed 1, about 60 resources a patient, as NDJSON in `.cache/`."""

import gzip
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from continuum.fhir.json import dump, parse
from continuum.samples.world import family, shared

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
KEEP = 0.1
"""The share of visits that is recorded, which gives about 60 resources a patient."""
LINES_A_FILE = 20_000
TOLD_BY, TOLD_RESOURCES_MAX = 40, 10_000
"""Patients, and resources at most, by which states of the generator are told apart."""


@dataclass(slots=True)
class Corpus:
    """What the requests and their right answers are made from."""

    folder: Path
    patients: list[dict[str, Any]] = field(default_factory=list)
    observations: list[dict[str, Any]] = field(default_factory=list)
    encounters: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Resources by patient id."""
    resources: int = 0
    json_bytes: int = 0


def resources(patients: int) -> Iterator[dict[str, Any]]:
    """The shared world, then families until there are that many patients."""
    yield from shared()
    number = seen = 0
    while seen < patients:
        for resource in family(number, seed=SEED, keep=KEEP):
            seen += resource["resourceType"] == "Patient"
            yield resource
        number += 1


def fingerprint() -> str:
    """Tells states of the generator apart, by the first that it writes."""
    found = hashlib.blake2b(digest_size=4)
    for resource in itertools.islice(resources(TOLD_BY), TOLD_RESOURCES_MAX):
        found.update(dump(resource))
    return found.hexdigest()


def make(patients: int) -> Path:
    """Writes the corpus once; returns its folder. What another state of the generator wrote is not taken for it."""
    folder = ROOT / ".cache" / "benchmarks" / f"{patients}-{SEED}-{KEEP}-{fingerprint()}"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    number = 0
    for resource in resources(patients):
        lines.append(dump(resource))
        if len(lines) >= LINES_A_FILE:
            _write(folder, number, lines)
            number, lines = number + 1, []
    _write(folder, number, lines)
    (folder / "complete").touch()
    return folder


def _write(folder: Path, number: int, lines: list[bytes]) -> None:
    with gzip.open(folder / f"part-{number:04d}.ndjson.gz", "wb", compresslevel=1) as handle:
        handle.write(b"\n".join(lines) + b"\n")


def read(folder: Path, *, most: int) -> Corpus:
    """Reads what the requests need: of the first `most` patients everything, of the others only counts."""
    corpus = Corpus(folder)
    chosen: set[str] = set()
    for path in sorted(folder.glob("*.ndjson.gz")):
        with gzip.open(path, "rb") as handle:
            for line in handle:
                corpus.resources += 1
                corpus.json_bytes += len(line)
                if len(chosen) >= most:
                    continue
                resource = parse(line)
                kind = resource["resourceType"]
                if kind == "Patient":
                    chosen.add(resource["id"])
                    corpus.patients.append(resource)
                reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
                patient_id = reference.removeprefix("Patient/")
                corpus.counts[patient_id] = corpus.counts.get(patient_id, 0) + 1
                if kind == "Observation":
                    corpus.observations.append(resource)
                elif kind == "Encounter":
                    corpus.encounters.append(resource)
    return corpus


def facility(corpus: Corpus) -> str:
    """The facility that cares for most of the patients."""
    places = Counter(
        str(one.get("managingOrganization", {}).get("reference", "")).rpartition("/")[2] for one in corpus.patients
    )
    del places[""]
    return places.most_common(1)[0][0]
