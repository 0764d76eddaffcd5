"""Text as search sees it: without case, accents, punctuation or extra space (R4 §3.1.1.4.8)."""

import re
import unicodedata
from functools import lru_cache

from continuum.kernel.limits import NORMALISED_CACHED_MAX, TEXT_CACHED_CHARS, WORD_CHARS

_APART = re.compile(r"[\W_]+")
_INSIDE = re.compile(r"['\u2018\u2019\u02bb\u02bc`\u00b4]")
_STROKES = str.maketrans({
    "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ħ": "h", "Ħ": "h",
    "ŧ": "t", "Ŧ": "t", "\u0131": "i", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th",
})  # fmt: skip
"""Letters with a stroke or of two letters, which Unicode does not take apart."""

MORE_GRAMS = ""
"""Stands among the trigrams of a resource that has more of them than are kept: it may contain any text."""


@lru_cache(maxsize=NORMALISED_CACHED_MAX)
def normalise(text: str) -> str:
    """Lower case, no marks, apostrophes dropped, other punctuation as one space: "O'Brien-Müller" → "obrien muller"."""
    if not text.isascii():
        text = text.replace("\u00b4", "'")  # a spacing accent would become a space below
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
        text = text.translate(_STROKES)
    return _APART.sub(" ", _INSIDE.sub("", text.casefold())).strip()


def words(text: str) -> tuple[str, ...]:
    """The words of a text as search sees them, each once, in their order."""
    # A long text is hardly ever met twice, and would push short ones out of the memory.
    plain = normalise(text) if len(text) <= TEXT_CACHED_CHARS else normalise.__wrapped__(text)
    return tuple(dict.fromkeys(word[:WORD_CHARS] for word in plain.split()))


def trigrams(text: str) -> set[str]:
    """All runs of three characters of a normalised text."""
    return {text[at : at + 3] for at in range(len(text) - 2)}
