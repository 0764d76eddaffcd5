"""Who may look at a patient's record by a paper that a clerk has seen: caregivers, attorneys, guardians, parents."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote

from starlette.responses import Response

from continuum.access import Operation, Session
from continuum.access.authored import TRUST
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.chart import trust
from continuum.chart.entry import N_
from continuum.chart.finding import Found, find
from continuum.chart.limits import GRANTS_MAX, PAPER_MAX_CHARS
from continuum.chart.reading import Resource, version_of
from continuum.chart.trust import PAPERS, PARTS, Grant, Paper, Pointers, grant_of
from continuum.fhir.json import dump, parse
from continuum.identity import notices, registry
from continuum.identity.registry import Person
from continuum.identity.staff import REGISTRAR
from continuum.kernel.errors import DomainError, Forbidden, NotFound
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

HOME = f"{BASE}/representatives"
NOT_A_REGISTRAR = N_("Papers about who may look are recorded by registrars.")
UNKNOWN = N_("The registry does not know this patient, so nobody can be given a way to look.")
ACCESS_GIVEN = "access-given"


@dataclass(slots=True)
class _Desk:
    """A registrar with one patient before them."""

    session: Session
    patient: Resource
    person: Person

    @property
    def patient_id(self) -> str:
        return str(self.patient["id"])


async def look(x: Visit) -> Response:
    """Looking for the patient."""
    session = await _registrar(x)
    q = x.query.get("q", "").strip()
    found = await find(session, q) if q else Found()
    return x.page("representatives/look.html", home=HOME, q=q, found=found.patients)


async def _registrar(x: Visit) -> Session:
    await staff(x)
    if x.standing.role != REGISTRAR:
        raise Forbidden(NOT_A_REGISTRAR)
    return x.record()


async def _desk(x: Visit) -> _Desk:
    session = await _registrar(x)
    stored = await session.read("Patient", x.param("patient_id"))
    patient: Resource = parse(stored.body or b"{}")
    async with x.services.sign_on.connect() as conn:
        person = await registry.of_patient(conn, str(patient["id"]))
    if person is None:
        raise NotFound(UNKNOWN)
    return _Desk(session, patient, person)


async def of_patient(x: Visit) -> Response:
    """Who may look at this record by a paper, and a new one."""
    here = await _desk(x)
    if x.request.method == "GET":
        return await _page(x, here, ())
    problems: list[Problem] = []
    who = await _representative(x, here, problems)
    paper = _paper(x, here, problems)
    parts = frozenset(part for part in PARTS if x.form.get(f"part-{part}"))
    if not parts - {"protected"}:
        problems.append(Problem("part-conditions", N_("Choose at least one part of the record.")))
    ends = _until(x, here, problems)
    if problems or who is None or paper is None:
        return await _page(x, here, tuple(problems))
    pointers = Pointers(x.access)
    await pointers.room(here.person.person_id)
    now = datetime.now(UTC).astimezone(x.reader.zone).replace(microsecond=0).isoformat()
    resource = trust.consent(
        here.patient_id, who.name, who.dod_id, parts, x.reader.today, now, ends, paper=paper
    )  # fmt: skip
    written = await here.session.create(parse(dump(resource)))
    await pointers.put(written.stored.id, here.person.person_id, who.person_id)
    async with x.access.connect() as conn:
        await notices.queue(
            conn, ACCESS_GIVEN, written.stored.id, patient_id=here.patient_id, due_us=x.access.clock()
        )  # fmt: skip
    return x.go(f"{HOME}/{quote(here.patient_id)}", done="given")


async def _representative(x: Visit, here: _Desk, problems: list[Problem]) -> Person | None:
    """Somebody on whom three facts agree, and who is another than the patient."""
    born = _day(x.form.get("born", ""))
    if born is None:
        problems.append(Problem("born", N_("Write the date as 1990-03-31.")))
        return None
    async with x.services.sign_on.connect() as conn:
        entry = await registry.find(
            conn, dod_id=x.form.get("dod_id", "").strip(), family_name=x.form.get("family_name", ""), born=born
        )
    if entry is None or entry.person.person_id == here.person.person_id:
        problems.append(Problem("dod_id", N_("Nobody else is known by these three. Please check them together.")))
        return None
    return entry.person


def _paper(x: Visit, here: _Desk, problems: list[Problem]) -> Paper | None:
    kind, issuer = x.form.get("paper", ""), " ".join(x.form.get("issuer", "").split())
    day = _day(x.form.get("issued", ""))
    minor = here.person.age_years(x.reader.today) < trust.ADULT_FROM_YEARS
    if kind not in PAPERS:
        problems.append(Problem("paper", N_("Choose what the paper is.")))
    elif (kind == trust.CUSTODY) != minor and kind != trust.GUARDIANSHIP:
        problems.append(Problem("paper", N_("Custody is of a child; an adult gives a caregiver or an attorney leave.")))
    if not issuer or len(issuer) > PAPER_MAX_CHARS or not issuer.isprintable():
        problems.append(Problem("issuer", N_("Say who issued or signed it, in a few words.")))
    if day is None or day > x.reader.today:
        problems.append(Problem("issued", N_("Write the day of the paper as 2027-03-31; it cannot be ahead.")))
    return Paper(kind, issuer, day, x.standing.facility_id or "") if day is not None and not problems else None


def _until(x: Visit, here: _Desk, problems: list[Problem]) -> date | None:
    """The last day; of a child at most the one before it comes of age."""
    text = x.form.get("until", "").strip()
    chosen = _day(text) if text else None
    if text and chosen is None:
        problems.append(Problem("until", N_("Write the date as 2027-03-31.")))
    if chosen is not None and chosen < x.reader.today:
        problems.append(Problem("until", N_("This day is over.")))
    of_age = trust.last_day_as_a_child(here.person.born)
    minor = here.person.age_years(x.reader.today) < trust.ADULT_FROM_YEARS
    return min(chosen or of_age, of_age) if minor else chosen


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


async def _given(here: _Desk) -> list[Grant]:
    text = f"Consent?category={TRUST}&_sort=-date&_count={2 * GRANTS_MAX}"
    view = await here.session.view("representatives", here.patient_id, {"grants": text})
    found = [one for resource in view.found["grants"] if (one := grant_of(resource)) is not None]
    return [one for one in found if one.paper]


async def _page(x: Visit, here: _Desk, problems: tuple[Problem, ...]) -> Response:
    given = await _given(here)
    with showing(x.reader):
        shown = [Problem(one.field, gettext(one.text)) for one in problems]
        papers = [(key, gettext(text)) for key, text in PAPERS.items()]
    today = x.reader.today
    return x.page(
        "representatives/one.html", home=HOME, patient=here.patient, papers=papers, parts=PARTS, problems=shown,
        errors={one.field: one.text for one in shown}, fields=x.form, kinds=PAPERS,
        given=[one for one in given if one.active and (one.ends is None or one.ends >= today)],
        before=[one for one in given if not one.active or (one.ends is not None and one.ends < today)],
        status=422 if problems else 200,
    )  # fmt: skip


async def end(x: Visit) -> Response:
    """The paper holds no more: it ends at once."""
    here = await _desk(x)
    stored = await here.session.read("Consent", x.param("consent_id"))
    resource: Resource = parse(stored.body or b"{}")
    found = grant_of(resource)
    own = resource.get("patient", {}).get("reference") == f"Patient/{here.patient_id}"
    if found is None or not found.paper or not own:
        raise NotFound("There is no such permission.")
    if found.active:
        ended = parse(dump(resource | {"status": "inactive"}))
        put = Operation("PUT", "Consent", id=found.consent_id, if_match=version_of(resource), resource=ended)
        try:
            await here.session.transaction([put])
        except DomainError as refusal:
            if refusal.status != 412:
                raise
            return x.go(f"{HOME}/{quote(here.patient_id)}")
    await Pointers(x.access).forget(found.consent_id, here.person.person_id)
    return x.go(f"{HOME}/{quote(here.patient_id)}", done="ended")
