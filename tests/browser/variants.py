"""Which forms of a story `make test` tells, and which cross the others and are left to `make proof`."""

from typing import Any

import pytest


def left_to_proof(*values: Any) -> list[Any]:
    """What crosses the others, so that `make test` stays quick."""
    return [pytest.param(value, marks=pytest.mark.proof) for value in values]


ON_A_PHONE = pytest.mark.parametrize("width", [320, *left_to_proof(1280)])
AT_A_DESK = pytest.mark.parametrize("width", [1280, *left_to_proof(320)])
