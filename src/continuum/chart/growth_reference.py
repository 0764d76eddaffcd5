"""How children grow in the United States: percentiles of length, stature and weight by age and sex.

Source: CDC Growth Charts (2000), National Center for Health Statistics, data files `lenageinf`, `statage` and
`wtageinf` (public domain), at the ages given here, rounded to 0.1 cm and 0.01 kg. Lying length to 35.5 months,
standing from 48.5. Weight ends at 36 months: the file for older children is not here, so theirs has no curves.
"""

from datetime import date
from decimal import Decimal

from continuum.chart.trends import Course, moment
from continuum.ui.charts import Chart, Curve, growth
from continuum.ui.language import gettext
from continuum.ui.view import View as Reader

PERCENTILES = (3, 10, 50, 90, 97)
_Table = tuple[tuple[float, tuple[float, float, float, float, float]], ...]
LENGTH_CM: dict[str, _Table] = {
    "male": (
        (0, (44.9, 46.6, 50.0, 53.4, 54.9)), (2.5, (55.3, 56.6, 59.6, 63.0, 64.7)),
        (5.5, (61.7, 63.0, 66.1, 69.7, 71.5)),
        (8.5, (66.2, 67.6, 70.9, 74.7, 76.6)), (11.5, (69.8, 71.4, 74.9, 78.8, 80.8)),
        (17.5, (75.6, 77.4, 81.4, 85.7, 87.7)), (23.5, (80.3, 82.4, 86.8, 91.3, 93.4)),
        (29.5, (84.6, 86.7, 91.4, 96.3, 98.7)), (35.5, (88.5, 90.6, 95.4, 100.6, 103.1)),
        (48.5, (94.6, 97.1, 102.5, 108.0, 110.5)), (60.5, (100.3, 103.2, 109.2, 115.1, 117.8)),
        (72.5, (106.1, 109.2, 115.7, 122.1, 125.1)), (84.5, (111.9, 115.1, 122.0, 129.0, 132.3)),
        (96.5, (117.5, 120.8, 128.1, 135.7, 139.3)), (108.5, (122.4, 126.0, 133.7, 141.8, 145.7)),
        (120.5, (126.7, 130.5, 138.8, 147.4, 151.5)), (132.5, (130.8, 134.9, 143.7, 152.9, 157.3)),
        (144.5, (135.7, 139.9, 149.3, 159.0, 163.7)), (156.5, (141.7, 146.4, 156.4, 166.6, 171.3)),
        (168.5, (148.5, 153.6, 164.1, 174.2, 178.8)), (180.5, (154.6, 159.8, 170.1, 179.8, 184.1)),
        (192.5, (158.8, 163.7, 173.6, 182.9, 187.1)), (204.5, (161.3, 165.8, 175.3, 184.5, 188.6)),
        (216.5, (162.5, 166.9, 176.2, 185.3, 189.5)), (240, (163.3, 167.7, 176.8, 186.0, 190.2)),
    ),
    "female": (
        (0, (45.1, 46.3, 49.3, 52.7, 54.5)), (2.5, (53.6, 55.0, 58.1, 61.2, 62.7)),
        (5.5, (59.5, 61.1, 64.4, 67.7, 69.2)),
        (8.5, (64.0, 65.7, 69.2, 72.6, 74.2)), (11.5, (67.7, 69.4, 73.2, 76.8, 78.5)),
        (17.5, (73.7, 75.7, 79.8, 83.9, 85.7)), (23.5, (78.8, 80.9, 85.3, 89.8, 91.9)),
        (29.5, (83.3, 85.6, 90.4, 95.2, 97.5)), (35.5, (87.1, 89.4, 94.4, 99.6, 102.0)),
        (48.5, (93.1, 95.6, 101.0, 106.8, 109.5)), (60.5, (99.4, 102.0, 108.0, 114.3, 117.4)),
        (72.5, (105.8, 108.6, 115.0, 121.9, 125.3)), (84.5, (111.9, 114.9, 121.8, 129.1, 132.7)),
        (96.5, (117.3, 120.5, 127.8, 135.6, 139.4)), (108.5, (121.9, 125.3, 133.1, 141.4, 145.4)),
        (120.5, (126.0, 129.8, 138.2, 147.0, 151.3)), (132.5, (130.7, 135.0, 144.3, 153.7, 158.1)),
        (144.5, (137.4, 142.0, 151.5, 160.8, 165.2)), (156.5, (144.2, 148.4, 157.3, 166.1, 170.2)),
        (168.5, (148.1, 152.1, 160.5, 168.9, 172.9)), (180.5, (149.7, 153.6, 161.9, 170.2, 174.2)),
        (192.5, (150.4, 154.3, 162.6, 170.9, 174.8)), (204.5, (150.7, 154.6, 162.9, 171.2, 175.1)),
        (216.5, (150.9, 154.8, 163.1, 171.4, 175.3)), (229.5, (151.1, 155.0, 163.3, 171.5, 175.4)),
    ),
}  # fmt: skip
WEIGHT_KG: dict[str, _Table] = {
    "male": (
        (0, (2.36, 2.77, 3.53, 4.17, 4.45)), (2.5, (4.34, 4.75, 5.67, 6.64, 7.11)),
        (5.5, (6.10, 6.55, 7.63, 8.87, 9.51)),
        (8.5, (7.36, 7.87, 9.08, 10.51, 11.27)), (11.5, (8.28, 8.83, 10.16, 11.73, 12.56)),
        (17.5, (9.50, 10.13, 11.62, 13.37, 14.30)), (23.5, (10.32, 10.99, 12.60, 14.50, 15.50)),
        (29.5, (11.01, 11.71, 13.43, 15.50, 16.62)), (36, (11.76, 12.49, 14.33, 16.64, 17.94)),
    ),
    "female": (
        (0, (2.41, 2.75, 3.40, 3.99, 4.25)), (2.5, (4.00, 4.39, 5.23, 6.09, 6.49)),
        (5.5, (5.52, 5.96, 6.97, 8.06, 8.59)),
        (8.5, (6.72, 7.20, 8.31, 9.57, 10.22)), (11.5, (7.66, 8.17, 9.37, 10.76, 11.49)),
        (17.5, (9.01, 9.55, 10.89, 12.51, 13.39)), (23.5, (9.92, 10.51, 11.97, 13.84, 14.88)),
        (29.5, (10.63, 11.27, 12.90, 15.04, 16.28)), (36, (11.33, 12.03, 13.87, 16.36, 17.87)),
    ),
}  # fmt: skip
GROWS_UNTIL_Y = 20
_REFERENCES = {"8302-2": (LENGTH_CM, "cm"), "29463-7": (WEIGHT_KG, "kg")}
_DAYS_IN_MONTH = 30.4375


def curves(table: _Table) -> tuple[Curve, ...]:
    """The percentiles of one sex, lowest first."""
    return tuple(
        Curve(percentile, tuple((age, values[place]) for age, values in table))
        for place, percentile in enumerate(PERCENTILES)
    )


def growth_chart(course: Course, *, born: str, sex: str, reader: Reader) -> Chart | None:
    """The chart of a child's length or weight over age; None where there is no reference for it.

    born: FHIR's day of birth. sex: FHIR's gender.
    """
    tables, unit = _REFERENCES.get(course.code, ({}, ""))
    try:
        birth = date.fromisoformat(born)
    except ValueError:
        return None
    if sex not in tables or reader.today.year - birth.year > GROWS_UNTIL_Y:
        return None
    last_months = tables[sex][-1][0]
    measured: list[tuple[date, Decimal]] = []
    for entry in course.entries:
        at, fact = moment(entry.when), entry.fact("value")
        if at is None or fact is None or fact.number is None or fact.unit != unit:
            continue
        on = at.date()
        if 0 <= (on - birth).days / _DAYS_IN_MONTH <= last_months:
            measured.append((on, fact.number))
    title = gettext("Length and height for age (CDC 2000)") if unit == "cm" else gettext("Weight for age (CDC 2000)")
    return growth(title, measured, curves(tables[sex]), birth=birth, unit_code=unit, view=reader)
