"""Whose data an answer shows: what its audit row names."""

from collections.abc import Sequence

from continuum.record.model import Page, Stored


def patients_of(result: object) -> list[str]:
    """Whose data a result shows."""
    shown: Sequence[Stored] = ()
    if isinstance(result, Stored):
        shown = (result,)
    elif isinstance(result, Page):
        shown = (*result.matches, *result.included)
    elif isinstance(result, tuple | list):
        events = result[-1] if isinstance(result, tuple) else result
        shown = [event.stored for event in events if event.stored is not None]
    return [stored.patient_id for stored in shown if stored.patient_id is not None]
