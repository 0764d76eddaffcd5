"""Whether an entry can have some words at all, told from the text of its resource: far cheaper than making the entry.

A sieve may let pass what has not the words, and never keeps back what has them (tests/test_sieve.py holds it to that).
What an entry says stands in its resource, in the names of those whom it refers to, or is a word of ours. Words that an
entry might put together itself, such as numbers with their signs, are not sieved.
"""

import binascii
import re
import unicodedata
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from continuum.chart.reading import OWN_WORDS, Names, named
from continuum.chart.section import Section

_ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Unicode's blocks of combining marks."""
_SIEVED = re.compile(r"[a-z][a-z0-9]*")
_GLUED = re.compile(rb"\][a-z0-9\x80-\xff]")
"""What stands in brackets is left out of names of tests; what stood on both sides may become one word."""
_NARRATIVE = b'"div":'
"""What has words that signs may part, and is not sieved."""
_ATTACHED = b'"data":"'
_DATA = re.compile(_ATTACHED + rb'([^"]*)"')
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
        for word in words:
            if _SIEVED.fullmatch(word) and word not in ours:
                referred = [reference for reference, text in said if word in text]
                if len(referred) <= _REFERRED_MAX:
                    self._wanted.append((word, referred))

    def passing(self, bodies: Sequence[bytes]) -> list[bool]:
        """Of each resource, of its JSON, whether its entry can have all words."""
        if not self._wanted or not bodies:
            return [True] * len(bodies)
        texts = _Texts(bodies)
        having = [
            texts.having(word.encode()).union(*(texts.having(one.encode()) for one in referred))
            for word, referred in self._wanted
        ]
        passing = set.intersection(*having) | texts.having(_NARRATIVE) | texts.glued()
        for index in texts.having(_ATTACHED) - passing:
            missing = [word for (word, _), of in zip(self._wanted, having, strict=True) if index not in of]
            if _attached(bodies[index], missing):
                passing.add(index)
        return [index in passing for index in range(len(bodies))]


class _Texts:
    """Many folded texts, looked through as one: a word in a thousand of them is found in a few calls."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self._all = b"\n".join(bodies)
        if self._all.isascii():  # nearly all of a record is
            self._all = self._all.lower()
        else:
            bodies = [one.lower() if one.isascii() else folded(one.decode()).encode() for one in bodies]
            self._all = b"\n".join(bodies)
        self._begins = list(accumulate((len(one) + 1 for one in bodies), initial=0))

    def having(self, part: bytes) -> set[int]:
        """Places of the texts in which a part stands."""
        return self._met(lambda begin: self._all.find(part, begin))

    def glued(self) -> set[int]:
        """Places of those in which leaving out brackets may make words."""

        def found(begin: int) -> int:
            met = _GLUED.search(self._all, begin)
            return -1 if met is None else met.start()

        return self._met(found)

    def _met(self, find: Callable[[int], int]) -> set[int]:
        found, at = set(), find(0)
        while at >= 0:
            place = bisect_right(self._begins, at)
            found.add(place - 1)
            at = find(self._begins[place])  # the next text: one place in each is enough
        return found


def _attached(body: bytes, missing: Sequence[str]) -> bool:
    """Whether words that stand nowhere in a text as it is may be in what is attached to it."""
    try:
        texts = [b64decode(one, validate=True) for one in _DATA.findall(body)]
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
