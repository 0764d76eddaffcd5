"""Who lives together: ages, marriages, children, origins, and the body each is born with."""

from continuum.samples.data import Source

SOURCES = (
    Source(
        "Mean age of active duty: 28.5 years; enlisted 27.3, officers 34.3",
        "DoD, 2022 Demographics: Profile of the Military Community (USNI News, 29 November 2023)",
        "read",
    ),
    Source(
        "Married 46 %, with children 36 %, two children on average, 42 % of the children below 6 years",
        "DoD, 2020 Demographics: Profile of the Military Community (Northwest Military, November 2021)",
        "read",
    ),
    Source("Share of the married by age", "DoD demographics reports, shape fitted to the total above", "recalled"),
    Source("Race and ethnicity of the force", "DoD demographics reports, rounded", "recalled"),
    Source("Adult height and body mass index", "CDC NHANES, Anthropometric Reference Data 2015-2018", "recalled"),
    Source("Smoking", "DoD Health Related Behaviors Survey 2018; CDC NHIS", "recalled"),
    Source("Deaths by age (Gompertz)", "US life tables, shape only", "recalled"),
)

MARRIED = ((18, 0.06), (21, 0.17), (25, 0.35), (30, 0.57), (35, 0.72), (42, 0.82), (60, 0.80), (80, 0.66))
SAME_SEX = 0.025
SINGLE_PARENT = 0.09
CHILDREN = ((0, 0.14), (1, 0.22), (2, 0.38), (3, 0.18), (4, 0.08))
DEPENDENT_UNTIL_YEARS = 21

# OMB category code, display, weight, lines of name tables are not tied to it on purpose.
RACES = (
    (("2106-3", "White"), 0.67),
    (("2054-5", "Black or African American"), 0.17),
    (("2028-9", "Asian"), 0.06),
    (("1002-5", "American Indian or Alaska Native"), 0.015),
    (("2076-8", "Native Hawaiian or Other Pacific Islander"), 0.015),
    (("2131-1", "Other Race"), 0.07),
)
HISPANIC = 0.18

ADULT_HEIGHT_CM = {"male": (175.3, 7.3), "female": (161.5, 6.8)}
BMI_BY_AGE = ((20, 26.0), (30, 28.0), (45, 29.6), (60, 29.8), (75, 28.6), (90, 26.5))
BMI_SD = 4.9
BMI_IN_SERVICE_MAX = 30.5

SMOKES = ((15, 0.02), (20, 0.13), (35, 0.17), (50, 0.16), (65, 0.10), (85, 0.04))

DEATHS_A_YEAR = (0.0007, 0.088, 45)
"""Deaths a year are a·exp(b·(age - c)) from age c on."""
DECEASED_WITHIN_YEARS = 5
