"""Where the portal is, who comes in, and how a Basic session is led on."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.responses import Response

from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Area, Handler, Visit
from continuum.chart.entry import N_
from continuum.identity.sessions import PREMIUM, SessionEnded
from continuum.kernel.errors import DomainError, Forbidden
from continuum.ui.language import gettext

BASE = "/portal"
NO_RECORD = N_("Your account is not linked to a record here. The registration desk of your facility can help.")
PREMIUM_FIRST = N_("Health records open with Premium or with a Common Access Card only.")


class PremiumFirst(DomainError):
    """Somebody is here, and not surely enough for a record."""

    status = 403
    code = "forbidden"


def _navigation(x: Visit) -> list[tuple[str, str, bool]]:
    here = x.request.url.path
    items = [(gettext("Home"), BASE, here == BASE)]
    if x.standing.role == "patient":
        items += [
            (gettext("My record"), f"{BASE}/record/me", here.startswith(f"{BASE}/record/me")),
            (gettext("Family"), f"{BASE}/family", _of_others(here)),
        ]
    elif x.session is not None:
        items.append((gettext("Get Premium"), f"{BASE}/premium", here == f"{BASE}/premium"))
    for part in parts("portal"):
        items += part.navigation(x)
    items += [
        (gettext("Health topics"), f"{BASE}/topics", here == f"{BASE}/topics"),
        (gettext("Help"), f"{BASE}/help", here == f"{BASE}/help"),
    ]
    return items


def _of_others(here: str) -> bool:
    others = here.startswith(f"{BASE}/record/") and not here.startswith(f"{BASE}/record/me")
    return others or here.startswith(f"{BASE}/family")


AREA = Area(
    key="portal", base=BASE, package="continuum.apps.portal", brand="Continuum",
    footer=N_("Every look into your record is written down, with who, when and why."), navigation=_navigation,
)  # fmt: skip


async def anybody(x: Visit) -> None:
    """Finds out who is here, if anybody is: for pages that are open to all."""
    try:
        await x.load()
    except SessionEnded:
        x.cookies.append(("session", "", 0))
    if x.session is not None:
        await x.stand("patient")


async def person(x: Visit) -> str:
    """Lets in who may open a record: the one gate of every page, download and form that shows one.

    Returns:
        the id of the person's own Patient.

    Raises:
        SignInFirst: nobody is here.
        PremiumFirst: the session is Basic.
        Forbidden: the person has no record.
    """
    standing = await x.stand("patient")
    if standing.role == "patient" and standing.patient_id:
        return standing.patient_id
    assert x.session is not None, "somebody stands here"
    if not x.session.assurance.reaches(PREMIUM):
        raise PremiumFirst(PREMIUM_FIRST)
    raise Forbidden(NO_RECORD)


def led(work: Handler) -> Callable[[Visit], Awaitable[Response]]:
    """Leads a Basic session to the way to Premium instead of leaving it before a closed door."""

    @wraps(work)
    async def answer(x: Visit) -> Response:
        try:
            return await work(x)
        except PremiumFirst as error:
            await x.refused(error)
            return x.go(f"{BASE}/premium")

    return answer
