"""Who looked at a record, as the person reads it: names instead of ids, reasons in plain words, like acts together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.portal.record import show
from continuum.apps.portal.whose import Whose, whose
from continuum.chart.entry import N_
from continuum.chart.limits import LOOKS_COUNT
from continuum.chart.looked import Look, rows
from continuum.chart.roles import ROLES
from continuum.identity import accounts
from continuum.kernel.errors import NotFound

REASONS = {
    "treatment": N_("to treat you"),
    "emergency treatment": N_("to treat you in an emergency"),
    "request of the patient": N_("asked for by you or your family"),
    "payment": N_("to settle costs"),
    "healthcare operations": N_("to run the hospital"),
    "system administration": N_("to look after the system"),
    "public health": N_("for public health"),
    "research": N_("for research"),
}
"""Purposes of use (access/actor.py) as the person understands them."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Like acts of one person on one day: the latest, how many, and since when."""

    look: Look
    number: int
    first: str


def together(found: Sequence[Look]) -> list[Looks]:
    """Acts of the same kind, by the same person and for the same reason, on one day; by their latest, newest first."""
    made: dict[tuple[object, ...], Looks] = {}
    for one in found:
        key = (one.who, one.act, one.why, one.refused, one.words, one.when[:10])
        before = made.get(key)
        made[key] = Looks(one, 1, one.when) if before is None else replace(
            before, number=before.number + 1, first=one.when
        )  # fmt: skip
    return list(made.values())


async def who_looked(x: Visit) -> Response:
    """The trace of the record: when, who, why."""
    here = await whose(x)
    if here.limits.closed or here.limits.sections is not None:
        raise NotFound("This part of the record is not open to you.")
    cursor = x.query.get("from", "")
    more = f"&_cursor={cursor}" if cursor else ""
    text = f"patient={here.patient_id}&_count={LOOKS_COUNT}{more}"
    page = await here.session.search(here.session.parse("AuditEvent", text))
    found = rows(page)
    return show(
        x, here, "portal/who_looked.html", "who-looked", looks=together(found), on=page.next_cursor or "",
        names=await _names(x, here, found), reasons=REASONS, roles=ROLES,
    )  # fmt: skip


async def _names(x: Visit, here: Whose, found: Sequence[Look]) -> Mapping[str, str]:
    """Accounts by name; programs keep the name that they go by."""
    assert x.account is not None, "somebody stands here"
    ids = sorted({one.who for one in found})
    async with x.services.sign_on.connect() as conn:
        known = await accounts.names(conn, ids)
    if here.own:
        known.pop(x.account.account_id, None)
    return known
