"""The primitive types of R4 (§2.24.0.1) as predicates, and the few structural checks that generated code shares."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from continuum.fhir.dates import ZONE, interval
from continuum.fhir.narrative import is_xhtml as is_xhtml  # noqa: PLC0414  generated code finds every primitive here
from continuum.kernel.limits import (
    ADDRESSES_CACHED_MAX,
    DATE_MAX_CHARS,
    DATES_CACHED_MAX,
    DECIMAL_EXPONENT_MAX,
    STRING_MAX_CHARS,
)

Check = Callable[[Any], bool]
Others = tuple[frozenset[str], Mapping[str, tuple[str, Check]], frozenset[str]]

DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"
"""What a type's name may be written behind in `Reference.type`."""

_DECIMAL_LIMIT = 10**DECIMAL_EXPONENT_MAX
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_NOT_CODE = re.compile(r"[^\S ]|[\x00-\x1f]|  |\A | \Z").search
_NOT_URI = re.compile(r"[\s\x00-\x1f]").search
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+").fullmatch
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE).fullmatch
_CLOCK = r"T\d\d:\d\d:\d\d(?:\.\d+)?"
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII).fullmatch
_DATE_TIME = re.compile(rf"\d{{4}}(-\d\d(-\d\d({_CLOCK}({ZONE}))?)?)?", re.ASCII).fullmatch
_INSTANT = re.compile(rf"\d{{4}}-\d\d-\d\d{_CLOCK}({ZONE})", re.ASCII).fullmatch
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?", re.ASCII).fullmatch
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").search


def is_boolean(v: Any) -> bool:
    """True or false."""
    return v is True or v is False


def is_string(v: Any) -> bool:
    """Some text of at most 1 MB, without control characters."""
    if v.__class__ is not str or not 0 < len(v) <= STRING_MAX_CHARS or v.isspace():
        return False
    return v.isprintable() or not _CONTROL(v)


is_markdown = is_string


def is_code(v: Any) -> bool:
    """Text without leading, trailing or double space, and with no other white space or control characters."""
    # What is printable has no white space but the space; most codes hold neither, and need no pattern.
    return v.__class__ is str and bool(v) and ((" " not in v and v.isprintable()) or _NOT_CODE(v) is None)


def is_id(v: Any) -> bool:
    """1 to 64 letters, digits, hyphens and dots."""
    return v.__class__ is str and _ID(v) is not None


def is_uri(v: Any) -> bool:
    """Text without space or control characters."""
    return v.__class__ is str and bool(v) and _NOT_URI(v) is None


is_url = is_uri
is_canonical = is_uri


def is_oid(v: Any) -> bool:
    """`urn:oid:` and numbers."""
    return v.__class__ is str and _OID(v) is not None


def is_uuid(v: Any) -> bool:
    """`urn:uuid:` and a UUID."""
    return v.__class__ is str and _UUID(v) is not None


def is_integer(v: Any) -> bool:
    """A whole number of 32 bits."""
    return v.__class__ is int and -(2**31) <= v < 2**31


def is_unsignedInt(v: Any) -> bool:  # noqa: N802  named like the FHIR type
    """A whole number from 0."""
    return v.__class__ is int and 0 <= v < 2**31


def is_positiveInt(v: Any) -> bool:  # noqa: N802  named like the FHIR type
    """A whole number from 1."""
    return v.__class__ is int and 1 <= v < 2**31


def is_decimal(v: Any) -> bool:
    """A number; its power of ten is bounded, so that nobody can write one that fills the memory."""
    if v.__class__ is int:
        return bool(-_DECIMAL_LIMIT < v < _DECIMAL_LIMIT)
    if v.__class__ is not Decimal or not v.is_finite():
        return False
    return abs(v.adjusted()) <= DECIMAL_EXPONENT_MAX and len(v.as_tuple().digits) <= DECIMAL_EXPONENT_MAX


def is_base64Binary(v: Any) -> bool:  # noqa: N802  named like the FHIR type
    """Base64; checked by its characters and length, since a large one must not be decoded to be judged."""
    if v.__class__ is not str or not v:
        return False
    plain = "".join(v.split())
    digits = plain.rstrip("=")
    if len(plain) % 4 or len(plain) - len(digits) > 2 or not plain.isascii():
        return False
    alphabet = digits.replace("+", "").replace("/", "")
    return alphabet.isalnum() or (not alphabet and bool(digits))


@lru_cache(maxsize=DATES_CACHED_MAX)
def _exists(text: str) -> bool:
    try:
        interval(text)
    except (ValueError, OverflowError):
        return False
    # Years before 1 and zones of a day and more are refused above; a minute of 61 seconds here.
    return text[17:19] <= "60" if len(text) > 18 else True


def is_date(v: Any) -> bool:
    """A year, month or day that the calendar has."""
    return v.__class__ is str and len(v) <= DATE_MAX_CHARS and _DATE(v) is not None and _exists(v)


def is_dateTime(v: Any) -> bool:  # noqa: N802  named like the FHIR type
    """A date, or an instant with its zone."""
    return v.__class__ is str and len(v) <= DATE_MAX_CHARS and _DATE_TIME(v) is not None and _exists(v)


def is_instant(v: Any) -> bool:
    """An instant to the second or finer, with its zone."""
    return v.__class__ is str and len(v) <= DATE_MAX_CHARS and _INSTANT(v) is not None and _exists(v)


def is_time(v: Any) -> bool:
    """A time of day."""
    return v.__class__ is str and len(v) <= DATE_MAX_CHARS and _TIME(v) is not None


def is_reference(v: Any, check: Check, targets: frozenset[str]) -> bool:
    """A Reference whose relative address and whose `type`, where given, name an allowed type."""
    if not check(v):
        return False
    kind = v.get("type")
    if kind is not None and kind.removeprefix(DEFINITIONS) not in targets:
        return False
    text = v.get("reference")
    if text is not None:
        named = target_type(text)
        return not named or named in targets
    return True


@lru_cache(maxsize=ADDRESSES_CACHED_MAX)
def target_type(reference: str) -> str:
    """The type that a relative reference names; empty for any other."""
    parts = reference.split("/")
    return parts[0] if len(parts) in {2, 4} and parts[0].isalpha() and parts[0][:1].isupper() else ""


def is_bound_coding(v: Mapping[str, Any], concepts: frozenset[tuple[str, str]]) -> bool:
    """A Coding whose (system, code) is one of a required value set; one without a code says nothing against it."""
    return "code" not in v or (v.get("system"), v["code"]) in concepts


def is_bound_concept(v: Mapping[str, Any], concepts: frozenset[tuple[str, str]]) -> bool:
    """A CodeableConcept with at least one code of a required value set, when it has any."""
    given = [(coding.get("system"), coding["code"]) for coding in v.get("coding", ()) if "code" in coding]
    return not given or any(pair in concepts for pair in given)


def others(o: Mapping[str, Any], table: Others, count: int) -> bool:
    """The `count` elements that the flat part did not count: choices (at most one each) and primitive siblings."""
    known, checkers, needed = table
    seen: dict[str, str] = {}
    for name in o:
        if name in known:
            continue
        found = checkers.get(name)
        if found is None or not found[1](o[name]):
            return False
        group = found[0]
        if group:
            plain = name.removeprefix("_")
            if seen.setdefault(group, plain) != plain:
                return False
        count -= 1
        if not count:
            break
    return needed <= seen.keys()


def is_resource(v: Any) -> bool:
    """A whole resource inside another one, by the checker of its own type."""
    from continuum.fhir.validate import certainly_valid  # noqa: PLC0415  the two halves need each other

    return certainly_valid(v)


def is_contained(v: Any) -> bool:
    """A contained resource: it has an id and contains none itself."""
    return is_resource(v) and "id" in v and "contained" not in v
