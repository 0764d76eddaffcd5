"""The accounting of disclosures (45 CFR 164.528): for privacy officers, of whom they are asked; and as text."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from starlette.responses import Response

from continuum.access.disclosures import Disclosure
from continuum.access.limits import DISCLOSURES_YEARS
from continuum.apps.design.reader import view_of
from continuum.apps.signon.exchange import SECURE, Exchange
from continuum.apps.signon.overseeing import door
from continuum.identity import accounts, registry
from continuum.ui.language import gettext
from continuum.ui.view import View, showing

NAME = "accounting-of-disclosures.txt"
_ID_CHARS_MAX = 64


async def disclosures(x: Exchange) -> Response:
    """Of a person who asked: by the DoD ID number or the id of the record."""
    await x.require()
    said = x.form.get("said", "").strip()
    if not said:
        return x.page("disclosures.html", said="", found=None, names={}, more=False, about="")
    found, more, patient_id, about = await _of(x, said)
    names = await named(x, found)
    return x.page("disclosures.html", said=patient_id, found=found, names=names, more=more, about=about)


async def file(x: Exchange) -> Response:
    """The same as text."""
    found, more, patient_id, about = await _of(x, x.form.get("said", "").strip())
    text = as_text(
        found, more=more, about=f"{about} (Patient/{patient_id})", names=await named(x, found),
        now_us=x.services.sign_on.clock(), view=view_of(x.request),
    )  # fmt: skip
    return as_file(text)


async def _of(x: Exchange, said: str) -> tuple[list[Disclosure], bool, str, str]:
    opened, _ = await door(x, "staff")
    async with x.services.sign_on.connect() as conn:
        person = await registry.by_dod_id(conn, said) or await registry.of_patient(conn, said[:_ID_CHARS_MAX])
    patient_id = (person.patient_id if person is not None else None) or said[:_ID_CHARS_MAX]
    found, more = await opened.oversight.disclosures(patient_id)
    return found, more, patient_id, person.name if person is not None else ""


async def named(x: Exchange, found: Sequence[Disclosure]) -> Mapping[str, str]:
    """Accounts by name; programs keep the name that they go by."""
    async with x.services.sign_on.connect() as conn:
        return await accounts.names(conn, sorted({one.who for one in found}))


def as_file(text: str) -> Response:
    """Text as a browser saves it."""
    headers = {**SECURE, "Content-Disposition": f'attachment; filename="{NAME}"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)


def as_text(
    found: Sequence[Disclosure], *, more: bool, about: str, names: Mapping[str, str], now_us: int, view: View
) -> str:
    """An accounting as it is handed out: when, to whom, what and why (45 CFR 164.528(b)), in the reader's language."""
    with showing(view):
        until = datetime.fromtimestamp(now_us / 1_000_000, UTC)
        lines = [
            gettext("Accounting of disclosures"),
            about,
            gettext("The %(years)s years until %(day)s.") % {"years": DISCLOSURES_YEARS, "day": until.date()},
            gettext(
                "Not in it: treatment, payment and healthcare operations; what the person did or asked for; what was"
                " told by other means than this system."
            ),
            "",
        ]
        for number, one in enumerate(found, 1):
            lines += [f"{number}. {_when(one)}", *(f"   {line}" for line in _entry(one, names)), ""]
        if not found:
            lines.append(gettext("There were no such disclosures."))
        if more:
            lines.append(gettext("There are more than fit here; these are the latest."))
        return "\n".join(lines).rstrip() + "\n"


def _entry(one: Disclosure, names: Mapping[str, str]) -> list[str]:
    what = gettext(one.deed).replace("{what}", gettext(one.thing).replace("{kind}", one.kind))
    return [
        f"{gettext('To')}: {names.get(one.who, one.who)} ({one.role}), {one.source}",
        f"{gettext('What')}: {what}",
        f"{gettext('Why')}: {gettext(one.purpose)}",
    ]


def _when(one: Disclosure) -> str:
    first, last = _minute(one.first_us), _minute(one.last_us)
    if one.number == 1:
        return first
    times = gettext("%(count)s times from %(first)s to %(last)s")
    return times % {"count": one.number, "first": first, "last": last}


def _minute(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"
