# ruff: noqa: E501  a row on one line reads as a table
"""Laboratory tests: LOINC codes, units and reference ranges of adults (and of children where they differ)."""

from dataclasses import dataclass

from continuum.samples.data import Source

SOURCES = (
    Source("LOINC codes and units", "Synthea's records; LOINC", "read"),
    Source(
        "Reference ranges of blood count, chemistry, thyrotropin and urate",
        "National Board of Medical Examiners, Laboratory Reference Values, April 2026, conventional units (transcribed in "
        "a public repository)",
        "read",
    ),
    Source(
        "Reference ranges of lipids: total below 200, LDL below 130, triglycerides below 150, HDL from 40 (men), 50 (women)",
        "American Heart Association, Levels of Cholesterol, 15 December 2010 (beta.heart.org), where an LDL of 100 to 129 is "
        "near optimal; NHLBI, as in takerx.com/choleste.html",
        "read",
    ),
    Source(
        "Reference range of A1c: below 5.7 %",
        "American Diabetes Association, Standards of Care 2021, tables 2.2 and 2.5 (clinical.diabetesjournals.org), where "
        "5.7 to 6.4 % is prediabetes; its lower bound is a usual one",
        "read",
    ),
    Source(
        "Filtration rate from 60",
        "KDOQI stages of kidney disease, as in USRDS 2018 Annual Data Report, chapter 1, table A (slideplayer.com)",
        "read",
    ),
)

Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Test:
    """One test. The ranges are (low, high); None where there is no bound. `digits` after the point."""

    __test__ = False
    key: str
    loinc: str
    display: str
    unit: str
    male: Range
    female: Range
    digits: int


_ALL = (
    Test("wbc", "6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", (4.5, 11.0), (4.5, 11.0), 1),
    Test("rbc", "789-8", "Erythrocytes [#/volume] in Blood by Automated count", "10*6/uL", (4.3, 5.9), (3.5, 5.5), 2),
    Test("hgb", "718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", (13.5, 17.5), (12.0, 16.0), 1),
    Test("hct", "4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count", "%", (41.0, 53.0), (36.0, 46.0), 1),
    Test("mcv", "787-2", "MCV [Entitic volume] by Automated count", "fL", (80.0, 100.0), (80.0, 100.0), 1),
    Test("plt", "777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", (150.0, 400.0), (150.0, 400.0), 0),
    Test("glucose", "2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", (70.0, 100.0), (70.0, 100.0), 0),
    Test("urea", "3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "mg/dL", (7.0, 18.0), (7.0, 18.0), 0),
    Test("creatinine", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", (0.6, 1.2), (0.6, 1.2), 2),
    Test("egfr", "98979-8", "Glomerular filtration rate/1.73 sq M.predicted by Creatinine-based formula (CKD-EPI 2021)",
         "mL/min/{1.73_m2}", (60.0, None), (60.0, None), 0),
    Test("sodium", "2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", (136.0, 146.0), (136.0, 146.0), 0),
    Test("potassium", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", (3.5, 5.0), (3.5, 5.0), 1),
    Test("chloride", "2075-0", "Chloride [Moles/volume] in Serum or Plasma", "mmol/L", (95.0, 105.0), (95.0, 105.0), 0),
    Test("bicarbonate", "2028-9", "Carbon dioxide, total [Moles/volume] in Serum or Plasma", "mmol/L", (22.0, 28.0), (22.0, 28.0), 0),
    Test("calcium", "17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", (8.4, 10.2), (8.4, 10.2), 1),
    Test("cholesterol", "2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", (None, 200.0), (None, 200.0), 0),
    Test("triglycerides", "2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", (None, 150.0), (None, 150.0), 0),
    Test("hdl", "2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", (40.0, None), (50.0, None), 0),
    Test("ldl", "13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "mg/dL", (None, 130.0), (None, 130.0), 0),
    Test("a1c", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", (4.0, 5.6), (4.0, 5.6), 1),
    Test("tsh", "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L", (0.4, 4.0), (0.4, 4.0), 2),
    Test("urate", "3084-1", "Urate [Mass/volume] in Serum or Plasma", "mg/dL", (3.0, 8.2), (3.0, 8.2), 1),
)  # fmt: skip
TESTS = {test.key: test for test in _ALL}

PANELS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "cbc": ("58410-2", "CBC panel - Blood by Automated count", ("wbc", "rbc", "hgb", "hct", "mcv", "plt")),
    "bmp": (
        "24321-2",
        "Basic metabolic 2000 panel - Serum or Plasma",
        ("glucose", "urea", "creatinine", "egfr", "sodium", "potassium", "chloride", "bicarbonate", "calcium"),
    ),
    "lipids": (
        "24331-1",
        "Lipid 1996 panel - Serum or Plasma",
        ("cholesterol", "triglycerides", "hdl", "ldl"),
    ),
    "a1c": ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", ("a1c",)),
    "tsh": ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", ("tsh",)),
    "urate": ("3084-1", "Urate [Mass/volume] in Serum or Plasma", ("urate",)),
}
