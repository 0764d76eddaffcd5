"""When results that can weigh heavily are shown to the person: after somebody could talk with them first. Pure.

Everything else is shown as soon as it is there (45 CFR part 171, information blocking: the exception for preventing
harm must be narrow, so the wait is short, the same for everybody, and the page says that something is waiting).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from continuum.access import Stored
from continuum.chart.limits import RELEASE_DAYS
from continuum.chart.reading import LOCAL, codes
from continuum.chart.sensitivity import kinds
from continuum.chart.trends import moment

WAITING = frozenset({"hiv", "genetics", "pathology"})
"""The kinds of results that wait (chart/sensitivity.py)."""
RELEASED = f"{LOCAL}release|released"
"""The tag by which a clinician shows a result at once, because they have talked with the person."""
MAY_WAIT = frozenset({"Observation", "DiagnosticReport", "DocumentReference", "Media", "ImagingStudy"})
"""Types of results."""


_VITAL = re.compile(rb'"category":\[\{"coding":\[\{[^{}\[\]]*"code":"vital-signs"')
_TOLD = (b'"issued":"', b'"date":"')
_DAY = re.compile(rb"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Held:
    """A result that waits. kind: of chart/sensitivity.py. until: when it is shown, whatever happens."""

    reference: str
    kind: str
    until: datetime


def held(resource: Mapping[str, Any], now: datetime) -> Held | None:
    """Whether a resource is a result that still waits at an instant; None when it is shown."""
    if resource["resourceType"] not in MAY_WAIT or _is_vital(resource):
        return None
    # Nearly all of a record is older than the wait, and a date is read many times quicker than all the words.
    since = _since(resource) or now
    if now - since >= timedelta(days=RELEASE_DAYS):
        return None
    found = sorted(kinds(resource) & WAITING)
    if not found or RELEASED in {tag for one in resource.get("meta", {}).get("tag", ()) for tag in _tag(one)}:
        return None
    return Held(f"{resource['resourceType']}/{resource['id']}", found[0], since + timedelta(days=RELEASE_DAYS))


def may_wait(stored: Stored, now: datetime) -> bool:
    """Whether a stored resource may be `held`, told from its text: what is surely older need not be read for that."""
    if stored.resource_type not in MAY_WAIT:
        return False
    body = stored.body or b""
    if b'"contained"' in body:
        return True
    if b'"vital-signs"' in body and _VITAL.search(body):
        return False
    told = [day[0] for key in _TOLD for at in _places(key, body) if (day := _DAY.match(body, at))]
    if not told:
        return True
    # A day more than the wait, for whatever zone the time was told in.
    return max(told).decode() >= (now - timedelta(days=RELEASE_DAYS + 1)).date().isoformat()


def _places(key: bytes, body: bytes) -> Iterator[int]:
    """Where values of an element begin: found many times quicker than by an expression that allows both elements."""
    at = body.find(key)
    while at >= 0:
        at += len(key)
        yield at
        at = body.find(key, at)


def waiting(resources: Iterable[Mapping[str, Any]], ids: Collection[str], now: datetime) -> dict[str, Held]:
    """Which of the resources with these ids wait at an instant, by reference."""
    found = (held(one, now) for one in resources if one["id"] in ids)
    return {one.reference: one for one in found if one is not None}


def released(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The same, shown to the person from now on, because a clinician has talked with them."""
    system, _, code = RELEASED.partition("|")
    meta = resource.get("meta", {})
    return {**resource, "meta": {**meta, "tag": [*meta.get("tag", ()), {"system": system, "code": code}]}}


def _is_vital(resource: Mapping[str, Any]) -> bool:
    return any(one.endswith("|vital-signs") for part in resource.get("category", ()) for one in codes(part))


def _tag(coding: Mapping[str, Any]) -> tuple[str, ...]:
    return codes({"coding": [coding]})


def _since(resource: Mapping[str, Any]) -> datetime | None:
    """When the result was issued: from then on it waits, not from when the sample was taken."""
    for text in (resource.get("issued"), resource.get("date"), resource.get("meta", {}).get("lastUpdated")):
        at = moment(str(text)) if text else None
        if at is not None:
            return at
    return None
