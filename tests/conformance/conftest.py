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


@pytest.fixture(scope="session")
def examples(scripts):
    """File name → bytes of every resource in the package."""
    assert scripts.is_dir()
    import r4_packages

    try:
        path = r4_packages.fetch("hl7.fhir.r4.examples@4.0.1")
    except (subprocess.CalledProcessError, OSError) as error:
        unavailable(f"the package of R4's definitions cannot be had from npm ({error})")
    found = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = Path(member.name).name
            handle = tar.extractfile(member) if name.endswith(".json") else None
            if handle is not None:
                found[name] = handle.read()
    return {name: raw for name, raw in found.items() if b'"resourceType"' in raw}
