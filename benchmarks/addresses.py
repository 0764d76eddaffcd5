"""Which pages there are: asked of the apps, so that a new one is measured, too."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.desk import FOR_OTHERS, MOVES, WAVES
from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Handler
from continuum.apps.portal.app import PAGES as PORTAL
from continuum.apps.workspace.app import PAGES as WORKSPACE
from continuum.chart.section import sections
from continuum.chart.writing import WRITERS

Page = tuple[str, Handler, tuple[str, ...]]
FILES = frozenset({"file", "export"})
"""What is downloaded is no page."""
TYPED = {
    "/workspace/find": "?q=rivera+ana", "/workspace/palette": "?q=rivera", "/workspace/clinic/walk-in": "?q=rivera",
    "/portal/messages/me/new": "?read=yes", "/portal/record/me/search": "?q=gout",
}  # fmt: skip
"""What somebody has typed or read where that makes the page."""


def _addresses(app: str, own: Sequence[Page], values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The pages of an app and of its parts, but those that need one appointment or one conversation: `of_one`."""
    for path, _, methods in (*(page for part in parts(app) for page in part.pages), *own):
        names = re.findall(r"{(\w+)}", path)
        if "GET" in methods and set(names) <= values.keys() and path.rpartition("/")[2] not in FILES:
            for chosen in itertools.product(*(values[name] for name in names)):
                yield f"/{app}" + path.format(**dict(zip(names, chosen, strict=True)))


def workspace_pages(patient_id: str) -> dict[str, str]:
    """The pages of a chart and of everything beside charts, as a physician has them: address by name."""
    chart = f"/workspace/patients/{patient_id}"
    values = {"patient_id": (patient_id,), "section": tuple(sections()), "kind": tuple(WRITERS)}
    found = [
        one for one in _addresses("workspace", WORKSPACE, values) if not one.startswith((WAVES, MOVES, FOR_OTHERS))
    ]
    inside = {one.removeprefix(chart).strip("/") or "summary": one for one in found if one.startswith(chart)}
    beside = {one.removeprefix("/workspace").strip("/") or "home": one for one in found if not one.startswith(chart)}
    return _typed(inside | {f"my {name}" if name in inside else name: one for name, one in beside.items()})


def portal_pages() -> dict[str, str]:
    """The pages of one's own record, and those around it: address by name."""
    base = "/portal/record/me"
    values = {"who": ("me",), "section": tuple(sections()), "kind": ("reading", "note")}
    found = list(_addresses("portal", PORTAL, values))
    inside = {one.removeprefix(base).strip("/"): one for one in found if one.startswith(base)}
    beside = {one.removeprefix("/portal").strip("/") or "home": one for one in found if not one.startswith(base)}
    pages = inside | {f"of {name}" if name in inside else name: one for name, one in beside.items()}
    named = {f"portal {name}".strip(): address for name, address in pages.items()}
    return _typed(named | {"account": "/signon/account"})


def of_one(
    patient_id: str, *, booked: str, free: str, group: str, thread: str, calendar: str
) -> tuple[dict[str, str], ...]:
    """The pages of one appointment, one time, one calendar and one conversation: the person's, then the clinic's.

    free: a time. group: an hour for several people, "" where the clinic has none; then the page is of the time.
    """
    own, desk, letters = "/portal/appointments/me", "/workspace/clinic", f"messages/{patient_id}/{thread}"
    mine = {
        "portal appointment": f"{own}/{booked}", "portal calling off": f"{own}/{booked}/cancel",
        "portal booking": f"{own}/book/{free}", "portal conversation": f"/portal/messages/me/thread/{thread}",
    }  # fmt: skip
    theirs = {
        "appointment": f"{desk}/{booked}", "moving": f"{desk}/{booked}/move", "calling off": f"{desk}/{booked}/cancel",
        "booking": f"{desk}/book/{free}?q=rivera",
        "hour of a group" if group else "hour of one": f"{desk}/group/{group or free}",
        "calendar": f"{desk}/calendars/{calendar}", "week": f"{desk}/calendars/{calendar}/week",
        "conversation": f"/workspace/{letters}",
    }  # fmt: skip
    return mine, theirs


def _typed(pages: Mapping[str, str]) -> dict[str, str]:
    return {name: address + TYPED.get(address, "") for name, address in pages.items()}
