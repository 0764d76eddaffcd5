"""R4's own package, for the tests that need it."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.suites import ROOT, unavailable

SCRIPTS = ROOT / "scripts"


@pytest.fixture(scope="session")
def scripts():
    sys.path.insert(0, str(SCRIPTS))
    yield SCRIPTS
    sys.path.remove(str(SCRIPTS))


def _package(scripts, name):
    """File name → bytes of every resource in a package of R4."""
    assert scripts.is_dir()
    import r4_packages

    try:
        path = r4_packages.fetch(name)
    except (subprocess.CalledProcessError, OSError) as error:
        unavailable(f"the package {name} cannot be had from npm ({error})")
    found = {}
    with tarfile.open(path) as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isfile() else None
            raw = handle.read() if handle is not None else b""
            if raw.lstrip().startswith(b"{") and b'"resourceType"' in raw:
                found[Path(member.name).name] = raw
    return found


@pytest.fixture(scope="session")
def examples(scripts):
    """The definitions and examples."""
    return _package(scripts, "hl7.fhir.r4.examples@4.0.1")


@pytest.fixture(scope="session")
def expansions(scripts):
    """The value sets with all that they hold, worked out by those who made them."""
    return _package(scripts, "hl7.fhir.r4.expansions@4.0.1")
