"""What a test does when something outside the tree is missing: skip loudly, or fail where all is required."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared() -> Path:
    """The folder of public suites and sample data: `CONTINUUM_SHARED`, else `../shared` beside the clone."""
    return Path(os.environ.get("CONTINUUM_SHARED") or ROOT.parent / "shared")


def unavailable(reason: str) -> NoReturn:
    """Ends the test: a skip with its reason, or a failure when `CONTINUUM_REQUIRE_SUITES=1`."""
    if os.environ.get("CONTINUUM_REQUIRE_SUITES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
