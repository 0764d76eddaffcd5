"""Printed pieces in the workspace: what belongs to them, and where it is."""

from continuum.apps.adoption import pages
from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.ui.language import gettext

GET = ("GET",)


def _navigation(x: Visit) -> Navigation:
    if not x.standing.role:
        return ()
    return ((gettext("Leaflets"), pages.HOME, x.request.url.path.startswith(pages.HOME)),)


PART = Part(
    key="adoption",
    order=90,
    navigation=_navigation,
    pages=(("/leaflets", pages.leaflets, GET), ("/leaflets/{piece}", pages.piece, GET)),
)
