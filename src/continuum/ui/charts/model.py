"""What charts are made of: measured points going in, placed marks coming out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Flag = Literal["", "low", "high"]
SHAPES = ("circle", "square", "diamond", "cross")
"""Lines are told apart by shape as well as by colour; a chart has at most this many."""


@dataclass(frozen=True, slots=True)
class Band:
    """A range that is expected or normal; an end may be open, but not both.

    Args:
        low: the lowest value inside it.
        high: the highest value inside it.
        name: what it says, for people.
    """

    low: Decimal | None
    high: Decimal | None
    name: str

    def flag(self, value: Decimal) -> Flag:
        """Whether a value lies below or above; its ends belong to it."""
        if self.low is not None and value < self.low:
            return "low"
        return "high" if self.high is not None and value > self.high else ""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement, at an instant with a zone. `note` says what a reader must know beside it (`wrist cuff`)."""

    at: datetime
    value: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line. Its points may come in any order; `band` is what its values are held against."""

    name: str
    points: tuple[Point, ...]
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, in percent of it; `minor` ones fall away where it is narrow."""

    at: float
    text: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One drawn point, in percent from the left and the top, with the words for it."""

    x: float
    y: float
    text: str
    flag: Flag = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line: the path in a square of 100 by 100, its marks, and where its name stands at the end.

    `named` is false where the name would cover another one.
    """

    name: str
    number: int
    path: str
    marks: tuple[Mark, ...] = ()
    end_y: float = 0.0
    named: bool = True

    @property
    def shape(self) -> str:
        """The form of the marks."""
        return SHAPES[self.number % len(SHAPES)]


@dataclass(frozen=True, slots=True)
class DrawnBand:
    """A band in percent from the top."""

    top: float
    height: float
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table that says the same: when, and for each line the value in words and its flag."""

    when: str
    machine: str
    cells: tuple[tuple[str, Flag, str], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template needs.

    Args:
        title: what is measured.
        summary: the chart in a sentence, for those who do not see it.
        unit: of the vertical axis.
        lines: what was measured.
        guides: thin lines that it is held against, such as percentiles.
        bands: reference ranges.
        x_name: what the horizontal axis counts, where its labels do not say it.
        x_ticks: labels below.
        y_ticks: labels at the side.
        columns: heads of the table after the first.
        rows: newest first.
        first_column: head of the table's first column.
    """

    title: str
    summary: str
    unit: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    first_column: str
    guides: tuple[Line, ...] = ()
    bands: tuple[DrawnBand, ...] = ()
    x_name: str = ""
