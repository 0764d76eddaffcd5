"""People and measurements for the gallery; invented, and the same every day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from continuum.samples.data.growth import HEIGHT_CM, HEIGHT_SD_SHARE
from continuum.ui.charts import Band, Chart, Curve, Point, Series, growth, trend
from continuum.ui.language import gettext
from continuum.ui.people import Allergy, Patient
from continuum.ui.view import View

_PERCENTILES = ((3, -1.881), (10, -1.282), (25, -0.674), (50, 0.0), (75, 0.674), (90, 1.282), (97, 1.881))
"""Each percentile and its place in standard deviations."""
_LAST = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
_SYSTOLIC = (152, 149, 155, 146, 141, 144, 138, 134, 136, 131, 128, 132)
_DIASTOLIC = (96, 94, 97, 92, 90, 91, 88, 84, 86, 82, 80, 83)
_POTASSIUM = ("4.1", "4.4", "3.3", "3.9", "4.6", "5.4", "5.0", "4.7")
_CHILD_BORN = date(2022, 3, 9)
_CHILD_CM = ("50.0", "62.1", "68.4", "75.2", "81.9", "88.0", "95.4", "99.6", "103.8", "107.0")
_CHILD_MONTHS = (0, 3, 6, 12, 18, 24, 36, 42, 48, 54)


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that the examples show."""

    retiree: Patient
    child: Patient
    unknown: Patient
    pressure: Chart
    potassium: Chart
    height: Chart
    nothing: None
    last_visit: datetime
    earlier_visit: datetime
    first_day: str


def people(view: View) -> Sample:
    """The sample people, in the language of a view that is being shown."""
    return Sample(
        retiree=_retiree(),
        child=_child(),
        unknown=Patient("u1", [], "1990", gettext("Unknown sex"), [(gettext("DoD ID"), "—")]),
        pressure=_drawn(trend(gettext("Blood pressure"), _pressure(), "mm[Hg]", view)),
        potassium=_drawn(trend(gettext("Potassium, serum"), _potassium(), "mmol/L", view)),
        height=_drawn(_height(view)),
        nothing=None,
        last_visit=_LAST,
        earlier_visit=_LAST - timedelta(days=97, hours=5),
        first_day="1998-06",
    )


def _drawn(chart: Chart | None) -> Chart:
    assert chart is not None, "the sample has points"
    return chart


def _retiree() -> Patient:
    return Patient(
        patient_id="9f3c1e",
        names=[{"use": "official", "family": "O'Neil-Vásquez", "given": ["Marta", "Inés"], "suffix": ["Jr."]}],
        birth="1961-08-14",
        sex=gettext("Female"),
        identifiers=[(gettext("DoD ID"), "9900412387")],
        category=gettext("Retiree, Navy"),
        facility="Naval Hospital Pine Sound",
        allergies=[Allergy("Penicillin", severe=True), Allergy("Latex")],
        allergy_state="present",
        alerts=[gettext("Fall risk"), gettext("Interpreter needed: Spanish")],
    )


def _child() -> Patient:
    return Patient(
        patient_id="2b77a0",
        names=[{"use": "official", "family": "Okafor", "given": ["Theo"]}],
        birth=_CHILD_BORN,
        sex=gettext("Male"),
        identifiers=[(gettext("DoD ID"), "9900518824")],
        category=gettext("Dependent, Air Force"),
        facility="Cedar Ridge Clinic",
        allergy_state="none_known",
        asserted="2026-03-11",
    )


def _pressure() -> tuple[Series, ...]:
    days = list(accumulate((31, 28, 35, 30, 26, 33, 30, 41, 29, 30, 22), initial=0))
    times = [_LAST - timedelta(days=days[-1] - after) for after in days]
    systolic = [Point(at, Decimal(value)) for at, value in zip(times, _SYSTOLIC, strict=True)]
    diastolic = [Point(at, Decimal(value)) for at, value in zip(times, _DIASTOLIC, strict=True)]
    goal = Band(None, Decimal(130), gettext("Goal, systolic"))
    return (
        Series(gettext("Systolic"), tuple(systolic), goal),
        Series(gettext("Diastolic"), tuple(diastolic)),
    )


def _potassium() -> tuple[Series, ...]:
    points = [Point(_LAST - timedelta(days=61 * (7 - count)), Decimal(value)) for count, value in enumerate(_POTASSIUM)]
    return (
        Series(gettext("Potassium"), tuple(points), Band(Decimal("3.5"), Decimal("5.1"), gettext("Reference range"))),
    )


def _height(view: View) -> Chart | None:
    measured = [
        (_CHILD_BORN + timedelta(days=round(months * 30.4375)), Decimal(value))
        for months, value in zip(_CHILD_MONTHS, _CHILD_CM, strict=True)
    ]
    return growth(
        gettext("Length and height for age"), measured, curves(), birth=_CHILD_BORN, unit_code="cm", view=view
    )


def curves() -> tuple[Curve, ...]:
    """Percentiles of boys' height as the sample families grow."""
    return tuple(
        Curve(
            number, tuple((years * 12, median * (1 + place * HEIGHT_SD_SHARE)) for years, median in HEIGHT_CM["male"])
        )
        for number, place in _PERCENTILES
    )
