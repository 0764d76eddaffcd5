"""Vital signs as they are measured: units, what cannot be, what is unusual. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from continuum.chart.entry import N_
from continuum.chart.sheet import Author, Checked, Fields, Json, Sheet, table
from continuum.ui.people import Problem


@dataclass(frozen=True, slots=True)
class Sign:
    """A vital sign: LOINC code and name, UCUM unit, what cannot be and what is unusual for an adult at rest.

    other: a second unit that people type, with what makes ours of it.
    """

    name: str
    code: str
    display: str
    unit: str
    possible: tuple[str, str]
    usual: tuple[str, str]
    other: str = ""
    convert: Callable[[Decimal], Decimal] | None = None


SIGNS: tuple[Sign, ...] = (
    Sign("systolic", "8480-6", "Systolic blood pressure", "mm[Hg]", ("40", "300"), ("90", "179")),
    Sign("diastolic", "8462-4", "Diastolic blood pressure", "mm[Hg]", ("20", "200"), ("50", "109")),
    Sign("pulse", "8867-4", "Heart rate", "/min", ("20", "300"), ("45", "120")),
    Sign("breaths", "9279-1", "Respiratory rate", "/min", ("3", "100"), ("10", "24")),
    Sign("temperature", "8310-5", "Body temperature", "Cel", ("25", "45"), ("35.0", "38.9"), "[degF]",
         lambda value: ((value - 32) * 5 / 9).quantize(Decimal("0.1"))),
    Sign("oxygen", "2708-6", "Oxygen saturation in Arterial blood", "%", ("30", "100"), ("92", "100")),
    Sign("weight", "29463-7", "Body weight", "kg", ("0.3", "400"), ("2", "200"), "[lb_av]",
         lambda value: (value * Decimal("0.45359237")).quantize(Decimal("0.1"))),
    Sign("height", "8302-2", "Body height", "cm", ("20", "260"), ("40", "210"), "[in_i]",
         lambda value: (value * Decimal("2.54")).quantize(Decimal("0.1"))),
)  # fmt: skip
"""In the order of the form. Possible: what a device or a slip of the hand would show outside is refused."""
SIGN_NAMES = {
    "systolic": N_("Upper blood pressure"), "diastolic": N_("Lower blood pressure"), "pulse": N_("Heart rate"),
    "breaths": N_("Breaths"), "temperature": N_("Temperature"), "oxygen": N_("Oxygen saturation"),
    "weight": N_("Weight"), "height": N_("Height"),
}  # fmt: skip


def vitals(fields: Fields, patient_id: str, author: Author) -> Checked:
    """Observations of vital signs that were measured now or at a time that the form says (US Core 6.1)."""
    sheet = Sheet(fields)
    at = _measured_at(sheet, author)
    values = {sign.name: value for sign in SIGNS if (value := _value(sheet, sign)) is not None}
    if not values and not sheet.problems:
        sheet.problems.append(Problem("systolic", N_("Write at least one value.")))
    upper, lower = values.get("systolic"), values.get("diastolic")
    if (upper is None) != (lower is None):
        missing = "diastolic" if lower is None else "systolic"
        sheet.problems.append(Problem(missing, N_("A blood pressure has an upper and a lower value.")))
    elif upper is not None and lower is not None and lower >= upper:
        sheet.problems.append(Problem("diastolic", N_("The lower value is not below the upper one.")))
    made = [_single(sign, values[sign.name], patient_id, author, at) for sign in SIGNS[2:] if sign.name in values]
    if upper is not None and lower is not None:
        made.insert(0, _pressure(upper, lower, patient_id, author, at))
    return Checked(tuple(made), tuple(sheet.problems), tuple(sheet.doubts))


def _value(sheet: Sheet, sign: Sign) -> Decimal | None:
    text = sheet.fields.get(sign.name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        sheet.problems.append(Problem(sign.name, N_("Write a number.")))
        return None
    if not value.is_finite():
        sheet.problems.append(Problem(sign.name, N_("Write a number.")))
        return None
    if sign.convert is not None and sheet.fields.get(f"{sign.name}-unit") == sign.other:
        value = sign.convert(value)
    low, high = (Decimal(end) for end in sign.possible)
    if not low <= value <= high:
        sheet.problems.append(Problem(sign.name, N_("This cannot be. Please measure or type again.")))
    else:
        low, high = (Decimal(end) for end in sign.usual)
        if not low <= value <= high:
            sheet.doubts.append(Problem(sign.name, N_("This is unusual. Is it right?")))
    return value


def _measured_at(sheet: Sheet, author: Author) -> str:
    text = sheet.fields.get("at", "").strip()
    if not text:
        return author.now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        sheet.problems.append(Problem("at", N_("Write the time as 2026-03-31 14:05.")))
        return author.now
    now = datetime.fromisoformat(author.now)
    at = at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)
    if at > now:
        sheet.problems.append(Problem("at", N_("This time has not come yet.")))
    return at.isoformat()


def _observation(code: str, display: str, patient_id: str, author: Author, at: str) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [table("observation-category", "vital-signs")],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": at,
        "issued": author.now,
        "performer": [{"display": author.name}],
    }


def _quantity(sign: Sign, value: Decimal) -> Json:
    return {"value": value, "unit": sign.unit, "system": "http://unitsofmeasure.org", "code": sign.unit}


def _single(sign: Sign, value: Decimal, patient_id: str, author: Author, at: str) -> Json:
    return _observation(sign.code, sign.display, patient_id, author, at) | {"valueQuantity": _quantity(sign, value)}


def _pressure(upper: Decimal, lower: Decimal, patient_id: str, author: Author, at: str) -> Json:
    panel = _observation("85354-9", "Blood pressure panel with all children optional", patient_id, author, at)
    panel["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": sign.code, "display": sign.display}],
                     "text": sign.display},
            "valueQuantity": _quantity(sign, value),
        }
        for sign, value in zip(SIGNS[:2], (upper, lower), strict=True)
    ]  # fmt: skip
    return panel
