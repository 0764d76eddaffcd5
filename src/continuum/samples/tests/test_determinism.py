import hashlib
import os
import subprocess
import sys
from datetime import date

import orjson
import pytest

from continuum.samples import families, world
from continuum.samples.streams import Draw, identity


def lines(resources):
    return [orjson.dumps(resource) for resource in resources]


def test_a_seed_gives_the_same_bytes_again():
    first = lines(world.generate(families=6, seed=5))
    assert len(first) > 1_000
    assert lines(world.generate(families=6, seed=5)) == first


def test_another_seed_gives_other_people_in_the_same_world():
    shared = lines(world.shared())
    one, other = (lines(world.generate(families=6, seed=seed)) for seed in (5, 6))
    assert one[: len(shared)] == other[: len(shared)] == shared
    assert not set(one[len(shared) :]) & set(other[len(shared) :])


def test_a_family_is_the_same_alone_as_among_others():
    whole = lines(world.generate(families=5, seed=2))
    alone = lines(world.family(3, seed=2))
    start = whole.index(alone[0])
    assert whole[start : start + len(alone)] == alone


def test_another_process_with_another_hash_seed_makes_the_same_family():
    program = (
        "import hashlib, orjson; from continuum.samples import world;"
        "print(hashlib.sha256(b''.join(orjson.dumps(r) for r in world.family(11, seed=4))).hexdigest())"
    )
    own = hashlib.sha256(b"".join(lines(world.family(11, seed=4)))).hexdigest()
    for hash_seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
        )
        assert run.stdout.strip() == own


def test_the_day_of_the_record_is_an_argument_and_nothing_reads_the_clock():
    later = list(world.family(3, seed=2, today=date(2030, 1, 15)))
    assert max(r["period"]["start"] for r in later if r["resourceType"] == "Encounter") > "2029"


def test_ids_are_uuids_that_belong_to_their_key():
    assert identity("a", 1) == identity("a", 1) != identity("a", 2)
    assert identity("ab", "c") != identity("a", "bc")
    assert [Draw("x").id(), Draw("x").id()] == [Draw("x").id()] * 2
    draw = Draw("x")
    assert draw.id() != draw.id()
    assert identity("a")[14] == "8"


def test_dod_id_numbers_are_ten_digits_that_nobody_has_and_unique():
    numbers = [person.dod_id for number in range(2_000) for person in families.compose(1, number, world.TODAY).members]
    numbers += [person.dod_id for persona in world.personas() for person in persona.family.members]
    assert len(numbers) == len(set(numbers)) > 3_000
    assert all(len(number) == 10 and number.startswith("99") and number.isdigit() for number in numbers)


def test_the_people_with_a_story_keep_their_ids_whatever_the_day():
    by_key = {persona.key: persona for persona in world.personas()}
    assert by_key["sergeant"].patient_id == "8591fd18-ecb0-8a15-aa09-1a7f12f35823"
    assert {"sergeant", "mother", "retiree", "reservist", "veteran"} <= set(by_key)
    patients = {r["id"] for r in world.people(today=date(2027, 5, 1)) if r["resourceType"] == "Patient"}
    assert {persona.patient_id for persona in by_key.values()} <= patients


def test_the_people_with_a_story_refuse_a_day_before_their_story_ends():
    with pytest.raises(ValueError, match="2026-11-01"):
        list(world.people(today=date(2025, 1, 1)))
