"""How a search value becomes a 64-bit key: the one formula that the writer and the search planner share.

A key is the first 8 bytes of keyed BLAKE2b over `Type.param`, a separator and the value, as a signed
int64 (PostgreSQL bigint). The secret is made once per database and kept outside it, so nobody can craft
two values with one key. A chance collision shows in one query of 10^11 at 10^8 distinct keys; whatever is
shown on a chart is held to the patient's full id as well (`record.resource.patient_id`).
"""

import hashlib
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from continuum.fhir.search_params import IMPLIED_SYSTEMS, PARTS, SUBSETS, has_grams
from continuum.fhir.text import trigrams, words
from continuum.fhir.types import TYPE_IDS
from continuum.fhir.ucum import Unit, unit_of
from continuum.kernel.limits import KEYS_CACHED_MAX

_SEP = "\x1f"
K = TypeVar("K")
V = TypeVar("V")


class Memory(dict[K, V]):
    """What was made for each key, at most KEYS_CACHED_MAX; a lookup of what is there costs no call.

    When it is full it begins anew: what recurs is soon there again.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        """Makes and remembers the value."""
        if len(self) >= KEYS_CACHED_MAX:
            self.clear()
        made = self[key] = self._make(key)
        return made


class TypeKeys:
    """The keys with which resources of one type are filed.

    tokens: (param, system, code) → all its forms. references: (param, target) → the keys of a target as written.
    uris: (param, uri) → its keys. gram: trigram → its key. grams: normalised text → the keys of its trigrams.
    params: param → its number in the side tables. strings: param → ((number of what it is filed under, whether that has
    trigrams), the bit of its part).
    texts: (param, text) → the keys of its words under the parameter. content: text → the keys of its words in the
    text of the whole resource. marks: (element of Meta, system, code or URL) → the key of the whole.
    gram_keys, text_keys, content_keys and narrative_keys do not remember.
    """

    __slots__ = (
        "content", "content_keys", "gram", "gram_keys", "grams", "marks", "narrative_keys", "params", "references",
        "strings", "text_keys", "texts", "tokens", "uris",
    )  # fmt: skip

    def __init__(self, keys: "Keys", resource_type: str) -> None:
        self.tokens: Memory[tuple[str, str, str], tuple[int, ...]] = Memory(
            lambda token: keys.token_forms(resource_type, *token)
        )
        self.references: Memory[tuple[str, str], tuple[int, ...]] = Memory(
            lambda found: keys.reference_forms(resource_type, *found)
        )
        self.marks: Memory[tuple[str, str, str], int] = Memory(lambda mark: keys.mark(resource_type, *mark))
        self.uris: Memory[tuple[str, str], tuple[int, ...]] = Memory(
            lambda found: keys.uri_forms(resource_type, *found)
        )
        self.gram: Memory[str, int] = Memory(lambda gram: keys.gram(resource_type, gram))
        self.params: Memory[str, int] = Memory(lambda param: param_id(resource_type, param))

        parts = PARTS.get(resource_type, {})

        def filed(param: str) -> tuple[tuple[int, bool], int]:
            whole, bit = parts.get(param) or (param, 0)
            return (self.params[whole], has_grams(whole)), bit

        def gram_keys(plain: str) -> tuple[int, ...]:
            return tuple(self.gram[gram] for gram in trigrams(plain))

        def text_keys(pair: tuple[str, str]) -> tuple[int, ...]:
            return tuple(keys.text(resource_type, pair[0], word) for word in words(pair[1]))

        def content_keys(text: str) -> tuple[int, ...]:
            return tuple(keys.content(resource_type, word) for word in words(text))

        def narrative_keys(text: str) -> tuple[int, ...]:
            return tuple(keys.narrative(resource_type, word) for word in words(text))

        self.text_keys, self.content_keys, self.narrative_keys = text_keys, content_keys, narrative_keys
        self.gram_keys = gram_keys
        self.grams: Memory[str, tuple[int, ...]] = Memory(gram_keys)
        self.strings: Memory[str, tuple[tuple[int, bool], int]] = Memory(filed)
        self.texts: Memory[tuple[str, str], tuple[int, ...]] = Memory(text_keys)
        self.content: Memory[str, tuple[int, ...]] = Memory(content_keys)


class Keys:
    """Makes keys under one database's secret (16 to 64 bytes).

    address: the self key of a reference as written, `Type/id`; present on every row that refers to it.
    of_type: the keys with which resources of a type are filed. local: reference's target → its self key, if ours.
    measures: UCUM code → the key of what it measures and by what factor, whatever it is called, and that unit; None
    for a code that is comparable only with itself.
    """

    def __init__(self, secret: bytes) -> None:
        if not 16 <= len(secret) <= 64:
            raise ValueError("The key secret must have 16 to 64 bytes.")
        blake2b = hashlib.blake2b

        def digest(text: str) -> int:
            return int.from_bytes(blake2b(text.encode(), digest_size=8, key=secret).digest(), "big", signed=True)

        self._digest = digest
        # What recurs is remembered: codes, references to one patient, trigrams. Each kind has its own memory, so
        # that the endless row of new ids does not push out the few thousand codes.
        self.of_type: Memory[str, TypeKeys] = Memory(lambda resource_type: TypeKeys(self, resource_type))
        self.local: Memory[str, int | None] = Memory(self._local)
        self.quantity = lru_cache(maxsize=KEYS_CACHED_MAX)(self._quantity)
        self.quantity_under = lru_cache(maxsize=KEYS_CACHED_MAX)(self._quantity_under)
        self.unit = lru_cache(maxsize=KEYS_CACHED_MAX)(self._unit)
        self.address = lru_cache(maxsize=KEYS_CACHED_MAX)(digest)
        self.measures: Memory[str, tuple[int, Unit] | None] = Memory(self._measure)

    def _local(self, target: str) -> int | None:
        """The self key of a reference's target, `Type/id`; None when it is not a resource of ours."""
        kind, slash, rest = target.partition("/")
        return self.address(target) if slash and kind in TYPE_IDS and "/" not in rest else None

    def of(self, *parts: str) -> int:
        """The key of any tuple of strings."""
        return self._digest(_SEP.join(parts))

    def self_key(self, resource_type: str, resource_id: str) -> int:
        """The key of a resource's own address; also the value of every reference to it."""
        return self._digest(f"{resource_type}/{resource_id}")

    def token(self, resource_type: str, param: str, system: str | None, code: str | None) -> int:
        """The three token forms: `code` (system None), `system|code` ("" = no system), `system|` (code None)."""
        within = SUBSETS.get(resource_type, {}).get(param)
        if within is not None and system in (None, within[1]):
            param, system = within
        wanted = "*" if system is None else system
        return self._digest(f"{resource_type}.{param}{_SEP}t{_SEP}{wanted}{_SEP}{'*' if code is None else code}")

    def token_forms(self, resource_type: str, param: str, system: str, code: str) -> tuple[int, ...]:
        """All keys of one token: by its code, by both, by its system; by its code alone where R4 gives the system.

        None where it is a value of another parameter too, and filed there.
        """
        if SUBSETS.get(resource_type, {}).get(param, ("", None))[1] == system:
            return ()
        if IMPLIED_SYSTEMS.get(resource_type, {}).get(param) == system:
            return (self.token(resource_type, param, None, code),)
        forms = []
        if code:
            forms.append(self.token(resource_type, param, None, code))
            forms.append(self.token(resource_type, param, system, code))
        if system:
            forms.append(self.token(resource_type, param, system, None))
        return tuple(forms)

    def reference(self, resource_type: str, param: str, target: str) -> int:
        """A reference by its target: `Type/id` when it is ours, the absolute URL or canonical otherwise."""
        within = SUBSETS.get(resource_type, {}).get(param)
        if within is not None and target.startswith(within[1]):
            param = within[0]
        return self._digest(f"{resource_type}.{param}{_SEP}r{_SEP}{target}")

    def reference_forms(self, resource_type: str, param: str, target: str) -> tuple[int, ...]:
        """All keys of a reference: a canonical is also meant by those who name no version; none as for tokens."""
        within = SUBSETS.get(resource_type, {}).get(param)
        if within is not None and target.startswith(within[1]):
            return ()
        whole = self.reference(resource_type, param, target)
        plain, bar, _ = target.partition("|")
        return (whole, self.reference(resource_type, param, plain)) if bar else (whole,)

    def identifier(self, resource_type: str, param: str, system: str | None, value: str | None) -> int:
        """`:identifier` of a reference: same three forms as `token`."""
        return self.token(resource_type, f"{param}:identifier", system, value)

    def uri(self, resource_type: str, param: str, value: str) -> int:
        """An exact uri; canonicals are keyed with and without their version."""
        return self._digest(f"{resource_type}.{param}{_SEP}u{_SEP}{value}")

    def uri_forms(self, resource_type: str, param: str, value: str) -> tuple[int, ...]:
        """All keys of a uri: a canonical is also meant by those who name no version."""
        plain, bar, _ = value.partition("|")
        whole = self.uri(resource_type, param, value)
        return (whole, self.uri(resource_type, param, plain)) if bar else (whole,)

    def mark(self, resource_type: str, element: str, system: str, code: str) -> int:
        """The key under which a profile, or a security label or tag with its system, is filed."""
        if element == "profile":
            return self.uri(resource_type, "_profile", code)
        return self.token(resource_type, f"_{element}", system, code)

    def gram(self, resource_type: str, trigram: str) -> int:
        """One trigram of any normalised string of the row (`:contains`)."""
        return self._digest(f"{resource_type}{_SEP}g{_SEP}{trigram}")

    def of_type_token(self, resource_type: str, param: str, system: str, code: str, value: str) -> int:
        """`:of-type` of an identifier: the code of its type and its value."""
        return self._digest(f"{resource_type}.{param}{_SEP}o{_SEP}{system}{_SEP}{code}{_SEP}{value}")

    def text(self, resource_type: str, param: str, word: str) -> int:
        """A word beside a code or a reference (`:text`)."""
        return self._digest(f"{resource_type}.{param}{_SEP}w{_SEP}{word}")

    def on_day(self, resource_type: str, place: str, day: int) -> int:
        """A place, `Type/id`, on one day (record/days.py); days are counted from 1970."""
        return self._digest(f"{resource_type}{_SEP}d{_SEP}{place}{_SEP}{day}")

    def content(self, resource_type: str, word: str) -> int:
        """A word anywhere else in the resource (`_content`)."""
        return self._digest(f"{resource_type}{_SEP}w{_SEP}{word}")

    def narrative(self, resource_type: str, word: str) -> int:
        """A word of the narrative (`_text`)."""
        return self._digest(f"{resource_type}{_SEP}n{_SEP}{word}")

    def _quantity(self, resource_type: str, param: str) -> int:
        """The `key` of `record.quantity` rows of a number or quantity parameter."""
        return self._digest(f"{resource_type}.{param}{_SEP}q")

    def _quantity_under(self, resource_type: str, param: str, code: str) -> int:
        """The `key` of composite rows (`code-value-quantity`): the quantity filed under its code."""
        return self._digest(f"{resource_type}.{param}{_SEP}q{_SEP}{code}")

    def _unit(self, system: str | None, code: str) -> int:
        """A unit: `system|code`, or the bare code or unit text when `system` is None."""
        return self._digest(f"unit{_SEP}{'*' if system is None else system}{_SEP}{code}")

    def _measure(self, code: str) -> tuple[int, Unit] | None:
        unit = unit_of(code)
        return None if unit is None else (self.measure(unit.form), unit)

    def measure(self, form: str) -> int:
        """A unit by its `Unit.form`: the key of all codes of UCUM that mean it."""
        return self._digest(f"measure{_SEP}{form}")

    def composite(self, resource_type: str, param: str, *parts: str) -> int:
        """A composite of tokens, references or other exact values, in the order of its components."""
        return self._digest(f"{resource_type}.{param}{_SEP}c{_SEP}{_SEP.join(parts)}")


@lru_cache(maxsize=4_096)
def param_id(resource_type: str, param: str) -> int:
    """The stable signed 32-bit id of a parameter in the side tables; a test shows that no two R4 ones collide."""
    value = zlib.crc32(f"{resource_type}.{param}".encode())
    return value - 2**32 if value >= 2**31 else value
