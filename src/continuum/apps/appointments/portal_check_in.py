"""Checking in from home: the questions of the visit, with their conditions, and that one is coming."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from continuum.access import Operation
from continuum.apps.appointments.booker import Booker, booker
from continuum.apps.appointments.portal_pages import show
from continuum.apps.appointments.shown import Shown, one
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.model import CHECKED_IN, EXTENSION, actor_of, reference_of, with_extension
from continuum.clinical.scheduling.questions import (
    APPOINTMENT,
    Answered,
    Fields,
    Question,
    answer,
    questions,
    response,
    typed_of,
)
from continuum.clinical.scheduling.reading import find, read
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Invalid
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

QUESTIONS = f"{EXTENSION}visit-questionnaire"
_PREFIX = "q-"
_NOT_YET = N_("You can check in from three days before the appointment on, as long as it is booked.")


@dataclass(frozen=True, slots=True)
class Form:
    """The questions of a visit. questionnaire: None where the kind of visit has none."""

    questionnaire: Mapping[str, Any] | None
    asked: tuple[Question, ...]
    before: Mapping[str, Any] | None
    """Answers that were given before."""


async def check_in(x: Visit) -> Response:
    """The questions of the visit; answering them says that one is coming."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    if not item.may_check_in and item.checked_in is None:
        raise Invalid(_NOT_YET)
    form = await _form(here, item)
    if x.request.method == "GET":
        return _page(x, here, item, form, typed_of(form.before or {}), fresh=True)
    typed = await _typed(x)
    made = answer(form.asked, typed)
    if made.problems:
        return _page(x, here, item, form, typed, made=made)
    await _keep(here, item, form, made)
    return x.go(f"{here.base}/{item.id}", done="checked-in")


async def again(x: Visit) -> Response:
    """The questions as they are after an answer: what depends on it appears or goes. Keeps nothing."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    return _page(x, here, item, await _form(here, item), await _typed(x), fresh=True)


def _page(
    x: Visit, here: Booker, item: Shown, form: Form, typed: Fields, *, made: Answered | None = None, fresh: bool = False
) -> Response:
    found = made or answer(form.asked, typed)
    return show(
        x, here, "questions_part.html" if x.partial else "check_in.html", item=item, asked=found.shown, typed=typed,
        prefix=_PREFIX, errors={} if fresh else found.errors, problems=[] if fresh else _summary(x, found),
        status=200 if fresh else 422,
    )  # fmt: skip


def _summary(x: Visit, found: Answered) -> list[Problem]:
    """What is wrong, each with its question."""
    asked = {one.link_id: one.text for one in found.shown}
    with showing(x.reader):
        return [Problem(f"{_PREFIX}{one.field}", f"{asked[one.field]}: {gettext(one.text)}") for one in found.problems]


async def _typed(x: Visit) -> dict[str, list[str]]:
    """What the form holds by linkId; several values of one question stay several."""
    form = await x.request.form()
    typed: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if name.startswith(_PREFIX) and isinstance(value, str):
            typed.setdefault(name.removeprefix(_PREFIX), []).append(value)
    return typed


async def _form(here: Booker, item: Shown) -> Form:
    service = actor_of(item.resource, "HealthcareService")
    name = ""
    if service:
        found = await read(here.session, "HealthcareService", service)
        name = next(
            (reference_of(one.get("valueReference")) for one in found.get("extension", ()) if one["url"] == QUESTIONS),
            "",
        )
    if not name:
        return Form(None, (), None)
    questionnaire = await read(here.session, "Questionnaire", name.rpartition("/")[2])
    answers, _ = await find(
        here.session, "QuestionnaireResponse",
        f"patient={here.patient_id}&identifier={APPOINTMENT}%7C{item.id}&_count=1",
    )  # fmt: skip
    return Form(questionnaire, questions(questionnaire), answers[0] if answers else None)


async def _keep(here: Booker, item: Shown, form: Form, made: Answered) -> None:
    """The answers and the check-in in one act."""
    checked = with_extension(item.resource, {"url": CHECKED_IN, "valueInstant": here.now.isoformat()})
    operations = [
        Operation(
            "PUT", "Appointment", id=item.id, resource=parse(dump(checked)), if_match=version_of(item.resource)
        )
    ]  # fmt: skip
    if form.questionnaire is not None:
        resource = response(
            form.questionnaire, made, patient_id=here.patient_id, appointment_id=item.id, now=here.now
        )  # fmt: skip
        if form.before is None:
            operations.append(Operation("POST", "QuestionnaireResponse", resource=parse(dump(resource))))
        else:
            resource |= {"id": form.before["id"], "status": "amended"}
            operations.append(
                Operation(
                    "PUT", "QuestionnaireResponse", id=resource["id"], resource=parse(dump(resource)),
                    if_match=version_of(form.before),  # type: ignore[arg-type]  # a resource, read only
                )
            )  # fmt: skip
    await here.session.transaction(operations)
