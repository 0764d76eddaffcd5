"""Waves in the workspace: the plan, one facility, people who move."""

from continuum.apps.cutover import facility_data, facility_pages, move_pages, plan_pages
from continuum.apps.cutover.planner import MOVERS, PLANNERS
from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.apps.workspace.area import BASE
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
WAVES, MOVES = "/waves", "/moves"
_ONE = f"{WAVES}/facility/{{facility_id}}"


def _navigation(x: Visit) -> Navigation:
    here = x.request.url.path
    found = []
    if x.standing.role in MOVERS:
        found.append((gettext("Moves"), f"{BASE}{MOVES}", here.startswith(f"{BASE}{MOVES}")))
    if x.standing.role in PLANNERS | MOVERS:
        found.append((gettext("Waves"), f"{BASE}{WAVES}", here.startswith(f"{BASE}{WAVES}")))
    return found


PART = Part(
    key="cutover",
    order=60,
    navigation=_navigation,
    pages=(
        (WAVES, plan_pages.plan_page, BOTH),
        (_ONE, facility_pages.facility_page, BOTH),
        (f"{_ONE}/data", facility_data.take, BOTH),
        (f"{_ONE}/export", facility_data.export, GET),
        (f"{_ONE}/unmatched/{{entry_id}}", facility_data.match, BOTH),
        (MOVES, move_pages.moves, GET),
        (f"{MOVES}/plan/{{patient_id}}", move_pages.plan_move, BOTH),
        (f"{MOVES}/{{entry_id}}/call-off", move_pages.call_off, POST),
    ),
)
