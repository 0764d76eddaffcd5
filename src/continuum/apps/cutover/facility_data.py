"""The data of a facility's older portal: rehearsed, brought in, given back, and people who have to be matched."""

from starlette.responses import Response

from continuum.access.claims import Claims
from continuum.apps.cutover.facility_pages import base_of, facility_of, show
from continuum.apps.cutover.planner import planner
from continuum.apps.frame.visit import Visit
from continuum.apps.signon.marked import takes_files
from continuum.chart.entry import N_
from continuum.chart.finding import find
from continuum.interop.cutover import report
from continuum.interop.cutover.exporting import facility_lines
from continuum.interop.cutover.form import MEDIA_TYPE, read
from continuum.interop.cutover.incoming import Incoming, Run
from continuum.interop.cutover.limits import UPLOAD_MAX_BYTES
from continuum.kernel.errors import DomainError, Invalid, NotFound
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

NO_FILE = N_("Choose the file first.")


@takes_files(1, UPLOAD_MAX_BYTES)
async def take(x: Visit) -> Response:
    """Rehearses a file, or brings it in; the report follows."""
    here = await planner(x)
    here.allowed()
    one = facility_of(x, here)
    if x.request.method == "GET":
        return x.go(base_of(one))
    write = x.form.get("act") == "import"
    try:
        name, data = next(((name, data) for name, data in x.files if data), ("", b""))
        if not data:
            raise Invalid(NO_FILE)
        content = read(data, most_bytes=UPLOAD_MAX_BYTES)
        who = x.account.display_name if x.account else ""
        incoming = Incoming(here.session, Claims(x.access), one, here.now)
        await incoming.take(content, Run(who, name[:120], write=write, given={}))
    except DomainError as refusal:
        if refusal.status not in {400, 409, 422}:
            raise
        with showing(x.reader):
            text = gettext(str(refusal))
        return await show(x, here, one, [Problem("file", text)], status=422)
    return x.go(f"{base_of(one)}", done="imported" if write else "rehearsed")


async def export(x: Visit) -> Response:
    """All that travels of the people of a facility, as a file for its older portal."""
    here = await planner(x)
    here.allowed()
    one = facility_of(x, here)
    lines = [line async for line in facility_lines(here.session, one, here.now)]
    headers = {
        "Content-Disposition": f'attachment; filename="cutover-{one.id[:40]}.ndjson"',
        "Cache-Control": "no-store",
    }
    return Response(b"".join(lines), media_type=MEDIA_TYPE, headers=headers)


async def match(x: Visit) -> Response:
    """Says who somebody of a file is: what is theirs is brought in at once."""
    here = await planner(x)
    here.allowed()
    one = facility_of(x, here)
    waiting = next((w for w in await report.unmatched(here.session, one.id) if w.id == x.param("entry_id")), None)
    if waiting is None:
        raise NotFound(N_("Nobody waits there any more."))
    q = x.query.get("q", "").strip() or str(waiting.person.get("family", ""))
    found = await find(here.session, q)
    problem = ""
    if x.request.method == "POST":
        chosen = x.form.get("patient", "")
        if chosen in {str(patient["id"]) for patient in found.patients}:
            who = x.account.display_name if x.account else ""
            incoming = Incoming(here.session, Claims(x.access), one, here.now)
            content = read(waiting.data, most_bytes=UPLOAD_MAX_BYTES)
            given = {str(waiting.person["key"]): chosen}
            done = await incoming.take(content, Run(who, "", write=True, given=given))
            if not done.counts["rejected"]:
                await report.settled(here.session, waiting.id)
            return x.go(base_of(one), done="matched")
        with showing(x.reader):
            problem = gettext(N_("Choose who it is."))
    return x.page(
        "cutover/match.html", here=here, one=one, at=base_of(one), waiting=waiting, q=q, found=found.patients,
        problem=problem, status=422 if problem else 200,
    )  # fmt: skip
