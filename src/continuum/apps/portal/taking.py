"""Take it along: the record as text, FHIR or PDF, by part and date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.portal.record import open_sections, show
from continuum.apps.portal.whose import Whose, now_of, whose
from continuum.chart.carrying import Document, Taken, bundle, document, plain_text, take
from continuum.chart.entry import N_
from continuum.chart.paper import pdf
from continuum.chart.section import Section
from continuum.fhir.json import dump
from continuum.kernel.clock import instant
from continuum.kernel.errors import NotFound
from continuum.ui.people import Problem
from continuum.ui.render import PAGE_HEADERS
from continuum.ui.view import showing

FORMS: Mapping[str, tuple[str, str, str]] = {
    "pdf": (N_("PDF, to print or to read"), "application/pdf", "pdf"),
    "text": (N_("Plain text, for every program"), "text/plain; charset=utf-8", "txt"),
    "fhir": (N_("FHIR, for other health apps"), "application/fhir+json", "json"),
}
"""What a record is taken along as: its name, media type and the end of the file's name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to take along."""

    sections: tuple[Section, ...]
    since: date | None
    until: date | None
    problems: tuple[Problem, ...]


def wish(x: Visit, here: Whose) -> Wish:
    """The parts and days of the address; without parts, all that are open."""
    opened = open_sections(here)
    chosen = [one for one in opened if x.query.get(f"part-{one.key}")] or opened
    problems: list[Problem] = []
    days = []
    for name in ("since", "until"):
        text = x.query.get(name, "").strip()
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            days.append(None)
            problems.append(Problem(name, N_("Write the date as 2027-03-31.")))
    since, until = days
    if since and until and until < since:
        problems.append(Problem("until", N_("The last day is before the first.")))
    return Wish(tuple(chosen), since, until, tuple(problems))


async def form(x: Visit) -> Response:
    """What can be taken along, and how."""
    here = await whose(x)
    return _form(x, here, ())


def _form(x: Visit, here: Whose, problems: tuple[Problem, ...]) -> Response:
    errors = {one.field: one.text for one in problems}
    return show(
        x, here, "portal/take_along.html", "take-along", open_parts=open_sections(here), forms=FORMS,
        problems=problems, errors=errors, fields=x.query, status=422 if problems else 200,
    )  # fmt: skip


async def file(x: Visit) -> Response:
    """The record as a file. In the trace it is one act."""
    here = await whose(x)
    kind = x.query.get("as", "")
    if kind not in FORMS:
        raise NotFound("A record cannot be taken along in this form.")
    wanted = wish(x, here)
    if wanted.problems:
        return _form(x, here, wanted.problems)
    taken = await take(here.looking, here.patient_id, wanted.sections, since=wanted.since, until=wanted.until)
    content = await _content(x, here, kind, taken)
    _, media_type, end = FORMS[kind]
    name = f"health-record-{x.reader.today.isoformat()}.{end}"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


async def _content(x: Visit, here: Whose, kind: str, taken: Taken) -> bytes:
    if kind == "fhir":
        return dump(bundle(taken, fhir_base(x), instant(x.access.clock())))
    with showing(x.reader):
        made: Document = document(
            taken, now_of(x), waiting=len(here.looking.waiting), closed=bool(here.looking.limits.closed)
        )
        return await pdf(made) if kind == "pdf" else plain_text(made).encode()


def fhir_base(x: Visit) -> str:
    """Where the resources of a file are at home."""
    return x.access.base_url or f"{x.services.settings.origin}/fhir"
