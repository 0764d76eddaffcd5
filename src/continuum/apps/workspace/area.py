"""Where the workspace is, and who comes in."""

from continuum.access.actor import MEMBERSHIPS
from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Area, Visit
from continuum.chart.desk import Desk
from continuum.chart.entry import N_
from continuum.identity.standing import NOBODY
from continuum.kernel.errors import Forbidden
from continuum.ui.language import gettext

BASE = "/workspace"
NOT_STAFF = N_("The workspace is for staff. Your own record is in the portal.")


def _navigation(x: Visit) -> list[tuple[str, str, bool]]:
    here = x.request.url.path
    return [
        (gettext("Patients"), BASE, here == BASE or here.startswith(f"{BASE}/find")),
        *(item for part in parts("workspace") for item in part.navigation(x)),
        *([(gettext("Emergency"), f"{BASE}/emergency", here == f"{BASE}/emergency")] if rescues(x) else []),
        (gettext("Corrections"), f"{BASE}/corrections", here == f"{BASE}/corrections"),
        *([(gettext("Unfinished"), f"{BASE}/unfinished", here == f"{BASE}/unfinished")] if _writes(x) else []),
    ]


AREA = Area(
    key="workspace", base=BASE, package="continuum.apps.workspace", brand="Continuum",
    footer=N_("Every look into a record is written down, with who, when and why."), navigation=_navigation,
)  # fmt: skip


EMERGENCY = "ETREAT"


def _writes(x: Visit) -> bool:
    """Whether the role is one of those that write notes and may leave some unfinished."""
    return "treating" in MEMBERSHIPS.get(x.standing.role, ())


def rescues(x: Visit) -> bool:
    """Whether the role is one of those that break the glass; the policies say so once more when it is done."""
    return "rescuing" in MEMBERSHIPS.get(x.standing.role, ())


async def staff(x: Visit, *, activity: bool = True) -> Desk:
    """Lets staff in, and gives them their desk. Raises SignInFirst, Forbidden."""
    standing = await x.stand("staff", activity=activity)
    if standing.role in {NOBODY, "patient"}:
        raise Forbidden(NOT_STAFF)
    assert x.account is not None, "somebody stands here"
    patient_id = x.param("patient_id")
    if patient_id and rescues(x):
        x.emergency = await x.access.emergency(x.actor, patient_id)
        if x.emergency is not None:
            x.purpose = EMERGENCY
    return Desk(x.access, x.services.sign_on.vault, x.account.account_id)
