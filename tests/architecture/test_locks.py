"""Advisory locks are numbers that whole servers share: two with the same number would wait for each other for ever."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "continuum"


def test_every_lock_has_a_number_of_its_own():
    found = [
        (int(number.replace("_", "")), path.name)
        for path in sorted(SOURCE.rglob("*.py"))
        for number in re.findall(r"^[A-Z_]*LOCK = ([\d_]+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(found) >= 5
    assert len({number for number, _ in found}) == len(found), sorted(found)
