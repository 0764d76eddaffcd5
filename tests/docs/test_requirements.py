"""Every security requirement that is claimed has a test of `make test`, and every requirement is answered to."""

import os
import re
import subprocess
import sys

import security_requirements as requirements

from tests import claims

SECTIONS = {
    "1": (2, 9, 11, 3, 2), "2": (3, 3, 4, 1), "3": (0, 2, 4, 6, 5, 0, 2), "4": (3, 1, 2, 4), "5": (1, 3, 2, 3),
    "6": (3, 12, 4, 4, 5, 3, 0, 4), "7": (3, 4, 2, 5, 2, 2), "8": (2, 3, 1, 1), "9": (3, 4),
    "10": (2, 2, 4, 11, 5, 2, 3), "11": (2, 3, 3, 4, 1, 1), "12": (3, 2, 4), "13": (1, 5, 2, 5), "14": (2, 4, 3),
    "15": (3, 3, 7), "16": (1, 5, 4, 3, 3), "17": (1, 4, 2),
}  # fmt: skip
"""How many requirements of levels 1 and 2 each section of ASVS 5.0.0 begins with (its CSV at OWASP/ASVS)."""
ASVS = {
    f"V{chapter}.{section}.{number}"
    for chapter, counts in SECTIONS.items()
    for section, count in enumerate(counts, 1)
    for number in range(1, count + 1)
}


def test_each_requirement_of_levels_one_and_two_is_answered_to_once():
    known = [name for kind in requirements.KINDS for name in requirements.catalogue().get(kind, {})]
    assert len(known) == len(set(known))
    assert {name for name in known if "-" not in name} == ASVS
    assert len(ASVS) == 253
    assert all(re.fullmatch(r"V-\d{6}|SRG-APP-\d{6}", name) for name in known if "-" in name)


def test_every_claim_has_a_test_and_every_marker_a_claim():
    quick = [one for one in requirements.marked() if not one.slow]
    shown = {name for one in quick for name in one.ids}
    assert shown == set(requirements.catalogue()["shown"])


def test_what_is_claimed_and_not_shown_ends_a_run_as_failed(tmp_path):
    assert claims.unshown(set(requirements.catalogue()["shown"])) == []
    assert claims.unshown(set()) == sorted(requirements.catalogue()["shown"])
    (tmp_path / "test_it.py").write_text("def test_nothing(): pass\n")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\ntestpaths = .\nmarkers =\n  requirement: what it shows\n  proof: slow\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{requirements.ROOT}{os.pathsep}{requirements.ROOT / 'scripts'}"}
    environment.pop("CONTINUUM_TEST_DATABASE_URL", None)
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.claims", "-m", "not proof"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 1, said.stdout
    assert "claimed and not shown" in said.stdout
    assert "V6.2.1" in said.stdout


def test_a_slow_test_shows_nothing_in_a_quick_run(tmp_path):
    folder = tmp_path / "tests"
    folder.mkdir()
    (tmp_path / "src").mkdir()
    (folder / "test_it.py").write_text(
        "import pytest\n@pytest.mark.proof\n@pytest.mark.requirement('V1.1.1')\ndef test_a(): pass\n"
        "@pytest.mark.requirement('V1.1.2')\nasync def test_b(): pass\n"
    )
    assert [(one.name, one.ids, one.slow) for one in requirements.marked(tmp_path)] == [
        ("test_a", ("V1.1.1",), True), ("test_b", ("V1.1.2",), False),
    ]  # fmt: skip
