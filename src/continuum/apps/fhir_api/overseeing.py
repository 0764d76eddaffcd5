"""Operations about the trace: $break-the-glass, $emergencies, $access-report; answers are Parameters."""

from typing import Any

from continuum.access.emergency import Emergency
from continuum.access.telling import Told
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, show, view
from continuum.fhir.json import dump
from continuum.kernel.clock import instant, now_us
from continuum.kernel.errors import Malformed, UnknownParameter
from continuum.kernel.limits import PAGE_DEFAULT, PAGE_MAX


async def break_the_glass(x: Exchange) -> Response:
    """Opens the record of one patient in an emergency."""
    x.negotiate()
    given = await x.resource()
    texts = {
        one.get("name"): one.get("valueString")
        for one in given.get("parameter", ())
        if isinstance(one, dict) and isinstance(one.get("valueString"), str)
    }
    reason, identifier = str(texts.get("reason") or ""), str(texts.get("identifier") or "")
    if not x.target.id and not identifier:
        raise Malformed("Name the patient in the address, or by an identifier among the parameters.")
    made = await x.session.oversight.break_glass(x.target.id, reason, identifier="" if x.target.id else identifier)
    return _answer(x, _emergency(made), 201)


async def emergencies(x: Exchange) -> Response:
    """The latest emergencies, newest first."""
    x.negotiate()
    count, _ = _paging(x)
    found = await x.session.oversight.emergencies(count)
    return _answer(x, [{"name": "emergency", "part": _emergency(one)} for one in found])


async def access_report(x: Exchange) -> Response:
    """Who looked at a patient's record, when and why, in plain words."""
    x.negotiate()
    count, cursor = _paging(x)
    found, after = await x.session.oversight.report(x.target.id, cursor=cursor, count=count)
    parts: list[dict[str, Any]] = [{"name": "act", "part": _told(one)} for one in found]
    if after:
        url = f"{x.base.decode()}/Patient/{x.target.id}/$access-report?_count={count}&_cursor={after}"
        parts.append({"name": "next", "valueUrl": url})
    return _answer(x, parts)


def _emergency(one: Emergency) -> list[dict[str, Any]]:
    said = {"who": one.actor, "name": one.name, "role": one.role, "facility": one.facility, "reason": one.reason}
    return [
        {"name": "id", "valueString": one.id},
        {"name": "patient", "valueReference": {"reference": f"Patient/{one.patient_id}"}},
        *({"name": name, "valueString": text} for name, text in said.items() if text),
        {"name": "begun", "valueInstant": instant(one.starts)},
        {"name": "ends", "valueInstant": instant(one.ends)},
        {"name": "open", "valueBoolean": one.ends > now_us()},
    ]


def _told(one: Told) -> list[dict[str, Any]]:
    return [
        {"name": "event", "valueReference": {"reference": f"AuditEvent/{one.event}"}},
        {"name": "when", "valueInstant": one.instant},
        {"name": "who", "valueString": one.who},
        {"name": "role", "valueString": one.role},
        {"name": "why", "valueString": one.reason},
        {"name": "emergency", "valueBoolean": one.emergency},
        {"name": "refused", "valueBoolean": one.refused},
        {"name": "text", "valueString": one.sentence},
    ]


def _paging(x: Exchange) -> tuple[int, str]:
    count, cursor = str(PAGE_DEFAULT), ""
    for name, value in x.params():
        if name == "_count":
            count = value
        elif name == "_cursor":
            cursor = value
        elif name not in RESULT_PARAMETERS:
            raise UnknownParameter(f"The parameter {name} is not known for this request.")
    if not count.isdecimal() or not 0 < int(count[:9]) <= PAGE_MAX:
        raise Malformed(f"_count is a number from 1 to {PAGE_MAX}.")
    return int(count), cursor


def _answer(x: Exchange, parameters: list[dict[str, Any]], status: int = 200) -> Response:
    said: dict[str, Any] = {"resourceType": "Parameters"}
    if parameters:
        said["parameter"] = parameters
    shown = view([(name, value) for name, value in x.params() if name in RESULT_PARAMETERS])
    return Response(status, show(dump(said), shown), [CONTENT_TYPE])
