"""Whether an entry can have some words at all, told from the text of its resource: far cheaper than making the entry.

A sieve may let pass what has not the words, and never keeps back what has them (tests/test_sieve.py holds it to that).
What an entry says stands in its resource, in the names of those whom it refers to, or is a word of ours. Words that an
entry might put together itself, such as numbers with their signs, are not sieved.
"""

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Sequence

from continuum.chart.reading import OWN_WORDS, Names, named
from continuum.chart.section import Section

_ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Unicode's blocks of combining marks."""
_SIEVED = re.compile(r"[a-z][a-z0-9]*")
_GLUED = re.compile(rb"\][a-z0-9\x80-\xff]")
"""What stands in brackets is left out of names of tests; what stood on both sides may become one word."""
_DATA = re.compile(rb'"data":"([^"]*)"')
"""Attached texts, whose words are written in base64."""
_REFERRED_MAX = 12
"""Names that have a word, up to which it is looked for who refers to them; a word of more is not sieved."""


def folded(text: str) -> str:
    """A text as it is compared: no accents, no case."""
    if text.isascii():  # nearly all of a record is, and this is many times cheaper
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


class Sieve:
    """For the words of one search, once it is known to whom the entries refer: names and visits as a View has them."""

    def __init__(self, names: Names, visits: Names, looked: Sequence[Section], words: Iterable[str]) -> None:
        ours = folded(" ".join([*OWN_WORDS, *(text for one in looked for text in one.says)]))
        said = _said(names, visits)
        self._wanted: list[tuple[str, list[str]]] = []
        self._plain: list[tuple[bytes, list[bytes]]] = []
        for word in words:
            if _SIEVED.fullmatch(word) and word not in ours:
                referred = [reference for reference, text in said if word in text]
                if len(referred) <= _REFERRED_MAX:
                    self._wanted.append((word, referred))
                    self._plain.append((word.encode(), [one.encode() for one in referred]))

    def passes(self, body: bytes) -> bool:
        """Whether the entry of a resource, of its JSON, can have all words.

        Narratives (`div`) may have words that signs part, and are not sieved.
        """
        if not self._wanted:
            return True
        missing: list[str] = []
        if body.isascii():  # nearly all of a record is
            plain = body.lower()
            for (word, _), (key, referring) in zip(self._wanted, self._plain, strict=True):
                if key not in plain and not any(one in plain for one in referring):
                    missing.append(word)
        else:
            text = folded(body.decode())
            for word, referred in self._wanted:
                if word not in text and not any(one in text for one in referred):
                    missing.append(word)
        return not missing or _elsewhere(body, missing)


def _elsewhere(body: bytes, missing: Sequence[str]) -> bool:
    """Whether words that stand nowhere in a text as it is may be in it in another writing."""
    if b'"div":' in body or _GLUED.search(body.lower()) is not None:
        return True
    attached = _DATA.findall(body)
    if not attached:
        return False
    try:
        texts = [b64decode(one, validate=True) for one in attached]
    except (binascii.Error, ValueError):
        return True
    if any(b"<" in one or b"&" in one for one in texts):  # as in a narrative; a name may stand for a letter
        return True
    text = folded(" ".join(one.decode("utf-8", "replace") for one in texts))
    return all(word in text for word in missing)


def _said(names: Names, visits: Names) -> list[tuple[str, str]]:
    """Who and what entries refer to, and what it is called there, as both stand in a folded text."""
    found = [(f'"{one}"', folded(named({"reference": one}, names))) for one in names]
    found += [(f'"{one}"', folded(named(visit.get("serviceProvider"), names))) for one, visit in visits.items()]
    return [(reference.lower(), text) for reference, text in found]
