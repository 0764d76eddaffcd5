"""Every dependency has its reason, its licence and its lock."""

import json
import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT, text_of, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "Unlicense", "Zlib",
}  # fmt: skip
WEAK_COPYLEFT = {
    "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0",
}  # fmt: skip
# How packages without an SPDX expression name the same licences.
SPOKEN = {
    "apache 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
# Weak copyleft binds changes to the files themselves; these ship as they are published, each for a reason.
UNMODIFIED = {
    "certifi": "the list of certificate authorities that httpx brings, MPL-2.0; data, unchanged",
    "orjson": "its MPL-2.0 part is a vendored crate; nothing else writes JSON as fast; unchanged",
}
# Locked for other platforms or interpreters than the one the test runs on, so there is nothing to read here.
ELSEWHERE = {
    "colorama": "BSD-3-Clause",  # Windows terminals
    "pycparser": "BSD-3-Clause",  # CPython only, through cffi
    "cffi": "MIT-0",  # CPython only, through cryptography
    "uvloop": "MIT",  # not on Windows
    "typing-extensions": "PSF-2.0",  # older Python
    "tzdata": "Apache-2.0",
}


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def locked(lock: str) -> set[str]:
    text = (ROOT / "requirements" / lock).read_text()
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, flags=re.MULTILINE)}


def shipped() -> set[str]:
    """What installing the product brings along, on this platform."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        wanted = [{"extra": ""}, *({"extra": extra} for extra in requirement.extras)]
        name = canonicalize_name(requirement.name)
        if requirement.marker and not any(requirement.marker.evaluate(extra) for extra in wanted):
            continue
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            child = Requirement(line)
            if child.marker is None or any(child.marker.evaluate(extra) for extra in wanted):
                child.marker = None
                waiting.append(child)
    return found


def licences(name: str) -> list[set[str]]:
    """The licences of an installed package, as sets of which one may be chosen and all sets must be met."""
    about = metadata.metadata(name)
    expression = about.get("License-Expression")
    if expression:
        flat = expression.replace("(", "").replace(")", "")
        return [{term.strip() for term in group.split(" OR ")} for group in flat.split(" AND ")]
    spoken = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::") and "OSI Approved ::" in line
    ]
    short = about.get("License") or ""
    words = [short] if short and len(short) < 40 and short != "Dual License" else spoken
    if not words and _text_of_licence(name).startswith("Apache License Version 2.0"):
        words = ["Apache-2.0"]
    return [{SPOKEN.get(word.lower(), word) for word in words}]


def _text_of_licence(name: str) -> str:
    """The licence file that a package brings along, in one line; some say it nowhere else."""
    files = [file for file in metadata.files(name) or () if file.name == "LICENSE" and "dist-info" in str(file)]
    return " ".join(files[0].read_text().split()) if files else ""


def tables() -> dict[str, dict[str, list[str]]]:
    """`docs/dependencies.md` as heading → package → its cells."""
    found: dict[str, dict[str, list[str]]] = {}
    heading = ""
    for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
            found[heading] = {}
        elif line.startswith("| ") and not line.startswith("| Package"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            package = canonicalize_name(cells[0].strip("| "))
            assert package not in found[heading], f"{package} has two rows"
            found[heading][package] = cells[1:]
    return found


FROM_NPM = tomllib.loads((ROOT / "src" / "continuum" / "ui" / "uswds.toml").read_text())["packages"]
GROUPS = PROJECT["dependency-groups"]
DECLARED = {
    "In the product": names(PROJECT["project"]["dependencies"]),
    "To build and install": names(GROUPS["build"]),
    "For tests and tools": names([line for line in GROUPS["dev"] if isinstance(line, str)]),
    "For tests, in an environment of its own": names(GROUPS["cumulus"]),
    "From npm, as files": {canonicalize_name(package["name"]) for package in FROM_NPM.values()},
    "For tests, Node.js": names(GROUPS["node"])
    | set(json.loads((ROOT / "tests" / "clients" / "node" / "package.json").read_text())["dependencies"]),
}


@pytest.mark.parametrize("heading", sorted(DECLARED))
def test_every_dependency_has_its_reason_and_every_reason_its_dependency(heading):
    written = tables()[heading]
    assert set(written) == DECLARED[heading]
    for package, cells in written.items():
        assert len(cells) == 3, package
        assert all(cells), package


def test_everything_that_ships_is_locked():
    assert shipped() <= locked("run.lock")
    assert locked("run.lock") <= locked("dev.lock")


def test_tests_run_the_versions_that_ship():
    pins = re.compile(r"^([A-Za-z0-9_.-]+==\S+)", flags=re.MULTILINE)
    run = set(pins.findall((ROOT / "requirements" / "run.lock").read_text()))
    dev = set(pins.findall((ROOT / "requirements" / "dev.lock").read_text()))
    assert run <= dev


def test_every_locked_package_carries_hashes():
    for path in tracked():
        if path.suffix == ".lock":
            blocks = re.split(r"^(?=[A-Za-z0-9_.-]+==)", text_of(path), flags=re.MULTILINE)
            assert all("--hash=sha256:" in block for block in blocks if "==" in block), path


@pytest.mark.parametrize("name", sorted(shipped()))
@pytest.mark.requirement("V15.1.2")
def test_what_ships_is_permissive_or_a_weak_copyleft_with_a_reason(name):
    for choice in licences(name):
        if not choice & PERMISSIVE:
            assert choice & WEAK_COPYLEFT, f"{name}: {choice}"
            assert UNMODIFIED.get(name), f"{name} is {choice}: give the reason in UNMODIFIED"


def test_what_is_locked_for_other_platforms_is_permissive_too():
    not_here = locked("run.lock") - shipped() - names(GROUPS["build"])
    brought_by_building = {"packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers", "webencodings"}
    unknown = not_here - brought_by_building - set(ELSEWHERE)
    assert unknown == set(), "read their licences and add them to ELSEWHERE"
    assert set(ELSEWHERE.values()) <= PERMISSIVE


def test_reasons_are_given_only_where_they_are_needed():
    assert set(UNMODIFIED) <= shipped()


def test_a_strong_copyleft_would_be_refused():
    assert not {"GPL-3.0-or-later", "AGPL-3.0-only"} & (PERMISSIVE | WEAK_COPYLEFT)
    assert licences("orjson") == [{"MPL-2.0"}, {"Apache-2.0", "MIT"}]
