"""The family: whose records are open to somebody, and whom they let look at their own."""

from datetime import date
from typing import Any

from starlette.responses import Response

from continuum.access import Operation
from continuum.access.authored import TRUST
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.own import author
from continuum.apps.portal.whose import Whose, me, others, own_only
from continuum.chart import trust
from continuum.chart.entry import N_
from continuum.chart.limits import GRANTS_MAX
from continuum.chart.reading import version_of
from continuum.chart.trust import PAPERS, PARTS, Grant, Pointers, grant_of
from continuum.fhir.json import dump, parse
from continuum.identity import registry
from continuum.identity.family import grown_family
from continuum.identity.registry import Person
from continuum.kernel.errors import Forbidden, NotFound
from continuum.ui.people import Problem

_ELSE = "else"
BY_PAPER = N_("This was recorded from a paper. A registration desk ends it.")


async def family(x: Visit) -> Response:
    """Whose records are open, and who may look at the own one."""
    here = await own_only(x)
    given = await _given(here)
    today = x.services.sign_on.today()
    return x.page(
        "portal/family.html", others=await others(x), parts=PARTS, papers=PAPERS,
        given=[one for one in given if one.active and (one.ends is None or one.ends >= today)],
        before=[one for one in given if not one.active or (one.ends is not None and one.ends < today)],
    )  # fmt: skip


async def _given(here: Whose) -> list[Grant]:
    text = f"Consent?category={TRUST}&_sort=-date&_count={2 * GRANTS_MAX}"
    view = await here.session.view("grants", here.patient_id, {"grants": text})
    return [one for resource in view.found["grants"] if (one := grant_of(resource)) is not None]


async def grant(x: Visit) -> Response:
    """Lets somebody look: who, at what, until when."""
    here = await own_only(x)
    mine = await me(x)
    async with x.services.sign_on.connect() as conn:
        kin = await grown_family(conn, mine.person_id, x.services.sign_on.today())
    if x.request.method == "GET":
        return _form(x, kin, ())
    problems: list[Problem] = []
    grantee = await _grantee(x, mine, kin, problems)
    parts = frozenset(part for part in PARTS if x.form.get(f"part-{part}"))
    if not parts - {"protected"}:
        problems.append(Problem("part-conditions", N_("Choose at least one part of your record.")))
    ends = _until(x, problems)
    if problems or grantee is None:
        return _form(x, kin, tuple(problems))
    pointers = Pointers(x.access)
    await pointers.room(mine.person_id)
    now = author(x)
    resource = trust.consent(here.patient_id, grantee.name, grantee.dod_id, parts, now.today, now.now, ends)
    written = await here.session.create(parse(dump(resource)))
    await pointers.put(written.stored.id, mine.person_id, grantee.person_id)
    return x.go(f"{x.area.base}/family", done="given")


def _form(x: Visit, kin: list[Person], problems: tuple[Problem, ...]) -> Response:
    errors: dict[str, Any] = {one.field: one.text for one in problems}
    return x.page(
        "portal/grant.html", status=422 if problems else 200, kin=kin, parts=PARTS, problems=problems, errors=errors,
        fields=x.form,
    )  # fmt: skip


async def _grantee(x: Visit, mine: Person, kin: list[Person], problems: list[Problem]) -> Person | None:
    """Somebody of the family, or somebody else on whom three facts agree, so that nobody can be found by trying."""
    who = x.form.get("who", "")
    chosen = next((one for one in kin if one.person_id == who), None)
    if chosen is not None:
        return chosen
    if who != _ELSE:
        problems.append(Problem("who", N_("Choose who may look.")))
        return None
    try:
        born = date.fromisoformat(x.form.get("born", "").strip())
    except ValueError:
        problems.append(Problem("born", N_("Write the date as 1990-03-31.")))
        return None
    async with x.services.sign_on.connect() as conn:
        entry = await registry.find(
            conn, dod_id=x.form.get("dod_id", "").strip(), family_name=x.form.get("family_name", ""), born=born
        )
    if entry is None or entry.person.person_id == mine.person_id:
        problems.append(Problem("dod_id", N_("Nobody else is known by these three. Please check them together.")))
        return None
    return entry.person


def _until(x: Visit, problems: list[Problem]) -> date | None:
    text = x.form.get("until", "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(Problem("until", N_("Write the date as 2027-03-31.")))
        return None
    if day < x.services.sign_on.today():
        problems.append(Problem("until", N_("This day is over.")))
    return day


async def take_back(x: Visit) -> Response:
    """Takes a permission back: at once, for every page from now on."""
    here = await own_only(x)
    mine = await me(x)
    stored = await here.session.read("Consent", x.param("entry_id"))
    resource = parse(stored.body) if stored.body is not None else {}
    found = grant_of(resource) if resource else None
    if found is None:
        raise NotFound("There is no such permission.")
    if found.paper:
        raise Forbidden(BY_PAPER)
    if found.active:
        ended = parse(dump(resource | {"status": "inactive"}))
        await here.session.transaction([
            Operation("PUT", "Consent", id=found.consent_id, if_match=version_of(resource), resource=ended)
        ])  # fmt: skip
    await Pointers(x.access).forget(found.consent_id, mine.person_id)
    return x.go(f"{x.area.base}/family", done="back")
