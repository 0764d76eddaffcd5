"""Where somebody's care is, in the portal: before a move and after, and what works where."""

from continuum.apps.cutover import portal_pages
from continuum.apps.frame.part import Part

GET = ("GET",)
HOME = "/care"

PART = Part(
    key="cutover",
    order=5,
    cards=portal_pages.cards,
    news=portal_pages.news,
    pages=(
        (HOME, portal_pages.care, GET),
        (f"{HOME}/over", portal_pages.over, GET),
        (f"{HOME}/over/file", portal_pages.file, GET),
    ),
)
