"""How a person is called, shortened and coloured; how identifiers and telephones are written.

Names come as FHIR HumanName (R4 §2.24.0.13.6): any part may be missing, and there may be several.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

Name = Mapping[str, Any]

_USE_ORDER = ("usual", "official", "", "temp", "nickname", "anonymous", "maiden", "old")
AVATAR_COLORS = 6
"""How many colours there are for people, `avatar-0` on."""


def chosen(names: Sequence[Name]) -> Name:
    """The name to show: the usual one, else the official one; never a former one while there is another."""
    known = [name for name in names if name.get("text") or name.get("family") or name.get("given")]
    if len(known) == 1:  # as nearly everybody has it, and a page says many names
        return known[0]
    return min(known, key=lambda name: _USE_ORDER.index(_use(name)), default={})


def _use(name: Name) -> str:
    use = str(name.get("use", ""))
    return use if use in _USE_ORDER else ""


def full_name(names: Sequence[Name]) -> str:
    """As one would address an envelope: `Ana Lucía Rivera Jr.`; "" where there is no name."""
    name = chosen(names)
    parts = [*name.get("prefix", ()), *name.get("given", ()), name.get("family", ""), *name.get("suffix", ())]
    return " ".join(part for part in parts if part) or str(name.get("text", ""))


def listed_name(names: Sequence[Name]) -> str:
    """As lists of people sort it and charts have it: `Rivera, Ana Lucía`; "" where there is no name."""
    name = chosen(names)
    given, family = " ".join(name.get("given", ())), str(name.get("family", ""))
    suffix = " ".join(name.get("suffix", ()))
    last = f"{family} {suffix}".strip() if family else ""
    return ", ".join(part for part in (last, given) if part) or str(name.get("text", ""))


def initials(names: Sequence[Name]) -> str:
    """The first letters of the first given name and of the family name, two at most; "?" where there are none."""
    name = chosen(names)
    words = [*name.get("given", ())[:1], str(name.get("family", ""))]
    if not any(words):
        text = str(name.get("text", "")).split()
        words = [text[0], text[-1]] if len(text) > 1 else text
    letters = [_first_letter(word) for word in words if word]
    return "".join(letter for letter in letters if letter) or "?"


def _first_letter(word: str) -> str:
    """The letter that stands for a name; particles do not count (`de la Cruz` → C, `O'Neil` → O)."""
    parts = [part for part in re.split(r"[\s-]+", word) if part]
    heavy = [part for part in parts if part[:1].isupper()] or parts
    found = next((sign for part in heavy[:1] for sign in part if sign.isalpha()), "")
    return found.upper()[:1]


def avatar(person_id: str) -> int:
    """The colour of a person, always the same: 0 up to `AVATAR_COLORS`. It never carries a meaning alone."""
    return zlib.crc32(person_id.encode()) % AVATAR_COLORS


def phone(number: str) -> str:
    """A North American number in groups, `(555) 010-1234`; any other as it was given."""
    digits = re.sub(r"[\s().-]", "", number)
    national = re.fullmatch(r"(?:\+?1)?(\d{3})(\d{3})(\d{4})", digits)
    return f"({national[1]}) {national[2]}-{national[3]}" if national else number.strip()


def masked(identifier: str, shown: int = 4) -> str:
    """An identifier of which only the end is shown, as on screens that others can see: `••••••1234`."""
    hidden = max(len(identifier) - shown, 0)
    return "•" * hidden + identifier[hidden:]
