"""Representatives in the workspace: what belongs to them, and where it is."""

from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.apps.representatives import pages
from continuum.identity.staff import REGISTRAR
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
HOME = "/representatives"
_ONE = f"{HOME}/{{patient_id}}"


def _navigation(x: Visit) -> Navigation:
    if x.standing.role != REGISTRAR:
        return ()
    return ((gettext("Representatives"), pages.HOME, x.request.url.path.startswith(pages.HOME)),)


PART = Part(
    key="representatives",
    order=70,
    navigation=_navigation,
    pages=(
        (HOME, pages.look, GET),
        (_ONE, pages.of_patient, BOTH),
        (f"{_ONE}/{{consent_id}}/end", pages.end, POST),
    ),
)
