"""Results in plain words: where a value stands to what is expected, and how it moved. Pure; texts are messages of ours.

The words say no more than the numbers do: what a result means for somebody is for their care team to say.
"""

from decimal import Decimal

from continuum.chart.entry import N_, Entry, Fact
from continuum.chart.trends import Course, values

A_LITTLE = Decimal("0.1")
"""Up to this share of the bound, a value is a little outside of it."""
SAME = Decimal("0.05")
"""Up to this share of the value before, a value is about the same."""
_CRITICAL = frozenset({"critically low", "critically high", "critically abnormal"})
_MARKED = {
    "low": N_("Below what is expected."), "high": N_("Above what is expected."),
    "abnormal": N_("Not as expected."), "positive": N_("Positive."), "negative": N_("Negative."),
    "detected": N_("Found."), "not detected": N_("Not found."),
}  # fmt: skip
CRITICAL = N_("Far from what is expected. If nobody has talked with you about this, call your care team today.")


def standing(entry: Entry) -> str:
    """Where a result stands to its reference range; "" where nothing says what is expected."""
    marked = [mark.text for mark in entry.marks]
    if _CRITICAL.intersection(marked):
        return CRITICAL
    value, normal = _single(entry), entry.fact("normal")
    if value is not None and normal is not None and normal.unit in {"", value.unit}:
        placed = _placed(value.number, normal.low, normal.high)
        if placed:
            return placed
    return next((_MARKED[text] for text in marked if text in _MARKED), "")


def _single(entry: Entry) -> Fact | None:
    found = values(entry)
    return found[0] if len(found) == 1 and found[0].number is not None and not found[0].comparator else None


def _placed(value: Decimal | None, low: Decimal | None, high: Decimal | None) -> str:
    if value is None or (low is None and high is None):
        return ""
    if high is not None and value > high:
        near = value <= high + abs(high) * A_LITTLE
        return N_("A little above what is expected.") if near else N_("Clearly above what is expected.")
    if low is not None and value < low:
        near = value >= low - abs(low) * A_LITTLE
        return N_("A little below what is expected.") if near else N_("Clearly below what is expected.")
    return N_("As expected.")


def movement(course: Course) -> str:
    """How the newest value moved from the one before; "" where there is none before, or units differ."""
    if len(course.entries) < 2:
        return ""
    new, old = _single(course.entries[0]), _single(course.entries[1])
    if new is None or old is None or new.unit != old.unit or new.number is None or old.number is None:
        return ""
    change = new.number - old.number
    if abs(change) <= abs(old.number) * SAME:
        return N_("About the same as the time before.")
    nearer = _nearer(course.entries[0], new.number, old.number)
    if change > 0:
        return N_("Higher than the time before, and nearer to what is expected.") if nearer else N_(
            "Higher than the time before.")  # fmt: skip
    return N_("Lower than the time before, and nearer to what is expected.") if nearer else N_(
        "Lower than the time before.")  # fmt: skip


def _nearer(entry: Entry, new: Decimal, old: Decimal) -> bool:
    normal = entry.fact("normal")
    if normal is None:
        return False

    def off(value: Decimal) -> Decimal:
        if normal.high is not None and value > normal.high:
            return value - normal.high
        if normal.low is not None and value < normal.low:
            return normal.low - value
        return Decimal(0)

    return off(old) > 0 and off(new) < off(old)
