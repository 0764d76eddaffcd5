"""Appointments in the workspace: what belongs to a clinic, and where it is."""

from continuum.apps.appointments import (
    clinic_board,
    clinic_calendars,
    clinic_day,
    clinic_groups,
    clinic_kinds,
    clinic_waiting,
)
from continuum.apps.appointments.clinic import HOME as WHOLE
from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
HOME = "/clinic"


def _navigation(x: Visit) -> Navigation:
    if not x.standing.facility_id:
        return ()
    return ((gettext("Clinic"), WHOLE, x.request.url.path.startswith(WHOLE)),)


PART = Part(
    key="appointments",
    order=10,
    navigation=_navigation,
    pages=(
        (HOME, clinic_board.board, GET),
        (f"{HOME}/day", clinic_day.day, GET),
        (f"{HOME}/walk-in", clinic_day.walk_in, BOTH),
        (f"{HOME}/overbook", clinic_day.overbook, POST),
        (f"{HOME}/book/{{slot_id}}", clinic_day.book, BOTH),
        (f"{HOME}/group/{{slot_id}}", clinic_groups.group, BOTH),
        (f"{HOME}/calendars", clinic_calendars.calendars, GET),
        (f"{HOME}/calendars/{{schedule_id}}", clinic_calendars.calendar, BOTH),
        (f"{HOME}/calendars/{{schedule_id}}/week", clinic_day.week, GET),
        (f"{HOME}/calendars/{{schedule_id}}/call-off", clinic_calendars.call_off_day, BOTH),
        (f"{HOME}/kinds", clinic_kinds.listed, GET),
        (f"{HOME}/kinds/{{service_id}}", clinic_kinds.one, BOTH),
        (f"{HOME}/waiting", clinic_waiting.waiting, GET),
        (f"{HOME}/waiting/{{entry_id}}", clinic_waiting.offer, BOTH),
        (f"{HOME}/{{entry_id}}", clinic_board.detail, GET),
        (f"{HOME}/{{entry_id}}/step", clinic_board.step, POST),
        (f"{HOME}/{{entry_id}}/move", clinic_board.move, BOTH),
        (f"{HOME}/{{entry_id}}/cancel", clinic_board.cancel, BOTH),
    ),
)
