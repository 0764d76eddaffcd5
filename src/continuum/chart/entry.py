"""One thing in a chart, ready to be shown: said once here, so that all pages say the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Kind = Literal["neutral", "info", "success", "warning", "error"]


def _mark(message: str) -> str:
    """Marks a message for translation where it is written; it is translated where it is shown."""
    return message


N_ = _mark


@dataclass(frozen=True, slots=True)
class Mark:
    """A state in a word, with how much it matters. `text` is a message of ours, to be translated."""

    text: str
    kind: Kind = "neutral"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value under its column. what: day, instant, text, quantity or bounds; values are as the record has them.

    text: words of the record, or FHIR's text of a date. number, low, high: of a quantity, in `unit` (UCUM).
    own: whether the text is a message of ours, to be translated.
    """

    what: Literal["day", "instant", "text", "quantity", "bounds"]
    text: str = ""
    number: Decimal | None = None
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    comparator: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry comes from: who wrote it, where, and when it was recorded (FHIR's text of a time)."""

    author: str = ""
    place: str = ""
    recorded: str = ""
    outside: bool = False
    """Whether the person reported it, or another organization sent it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a chart.

    version: of the resource, for If-Match. when: FHIR's text of the time it is about, "" where that is not known.
    facts: by column. group: a message of ours: the heading that it stands under. codes: `system|code`, for series.
    note: text to read, paragraphs parted by empty lines. wrong: entered in error; shown struck out, never hidden.
    """

    resource_type: str
    id: str
    version: int
    title: str
    when: str
    marks: tuple[Mark, ...] = ()
    facts: tuple[tuple[str, Fact], ...] = ()
    group: str = ""
    origin: Callable[[], Source] = field(default=Source, repr=False, compare=False)
    """Tells `source`. It looks up names, and most entries of a page are only counted, compared or drawn."""
    codes: tuple[str, ...] = ()
    note: str = ""
    wrong: bool = False

    @property
    def source(self) -> Source:
        """Where it comes from, looked up each time."""
        return self.origin()

    @property
    def reference(self) -> str:
        """Type and id."""
        return f"{self.resource_type}/{self.id}"

    @property
    def day(self) -> str:
        """The day that it is about, as far as it is known."""
        return self.when[:10]

    def fact(self, name: str) -> Fact | None:
        """The value under one column, None where nothing is known."""
        return next((value for key, value in self.facts if key == name), None)
