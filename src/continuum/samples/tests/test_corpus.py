import gzip
from collections import Counter

from continuum.samples import corpus, world


def lines(folder):
    found = Counter()
    for path in folder.iterdir():
        text = path.read_bytes()
        found.update((gzip.decompress(text) if path.suffix == ".gz" else text).splitlines())
    return found


def test_a_corpus_has_exactly_the_patients_asked_for():
    for patients in (1, 2, 57, 300):
        numbers = list(corpus.families_for(patients, seed=1))
        recipe = corpus.benchmark()
        made = [r for number in numbers for r in recipe.family(number) if r["resourceType"] == "Patient"]
        assert len(made) == patients


def test_the_benchmark_has_sixty_resources_a_patient():
    made = Counter(r["resourceType"] for r in corpus.resources(corpus.benchmark(), patients=3_000))
    shared = sum(1 for _ in world.shared())
    assert made["Patient"] == 3_000
    assert 58.5 <= (made.total() - shared) / 3_000 <= 61.5  # any thousand has 56 to 64


def test_two_processes_write_what_one_writes(tmp_path):
    recipe = corpus.benchmark()
    numbers = list(range(2 * corpus.FAMILIES_A_PROCESS))
    one = corpus.write(tmp_path / "one", recipe, numbers, processes=1, zipped=False)
    two = corpus.write(tmp_path / "two", recipe, numbers, processes=2, story=False)
    assert one.resources == two.resources
    assert one.size_bytes == two.size_bytes
    assert lines(tmp_path / "one") == lines(tmp_path / "two")
    assert len(list((tmp_path / "two").glob("Patient.*"))) == 2
    assert 700 <= one.size_bytes / one.resources.total() <= 1_500


def test_a_few_families_are_written_by_one_process_for_a_second_starts_too_late(tmp_path):
    corpus.write(tmp_path, corpus.Recipe(keep=0.1), range(corpus.FAMILIES_A_PROCESS), processes=4)
    assert [path.name for path in tmp_path.glob("Patient.*")] == ["Patient.000.ndjson.gz"]


def test_a_corpus_is_written_with_the_same_bytes_again(tmp_path):
    recipe = corpus.Recipe(keep=0.2)
    for name in ("first", "second"):
        corpus.write(tmp_path / name, recipe, range(4), story=True)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert first == second
    assert "Patient.shared.ndjson.gz" in first


def test_the_benchmark_leaves_out_what_clinical_domains_add():
    assert all(contributor.name.startswith("continuum.samples.events.") for contributor in corpus.core_contributors())
    assert len(corpus.core_contributors()) >= 15
