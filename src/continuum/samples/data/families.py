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
    Source(
        "Share of the married by age: 9 % of recruits, then a curve to the total above",
        "CNA, Population Representation in the Military Services, FY 2002, chapter 3 (cna.org/pop-rep/2002); the 42 % "
        "of men that it has at the end of a first term are of a time with more married, and the curve is below them",
        "read",
    ),
    Source(
        "Race and ethnicity of the force: White 57 %, Black 16 %, Hispanic 16 %, Asian 4 %, other 6 %",
        "Pew Research Center, figures of 2017 (13News Now; MSMR, December 2023, has 56.5 % White among men in 2022)",
        "read",
    ),
    Source(
        "American Indians (2.4 % of enlisted accessions), Pacific Islanders (1.6 %), several races or unknown (7.2 %): "
        "their proportions within the other 6 %",
        "DoD, Population Representation in the Military Services FY 2010, table D-22 (cna.org/pop-rep/2010/appendixd)",
        "read",
    ),
    Source(
        "Hispanic origin drawn apart from race",
        "DoD asks for both apart (CNA, Representation of racial and ethnic groups in the U.S. military, paperzz.com); "
        "that they do not depend on each other is a simplification",
        "read",
    ),
    Source(
        "Smoking by age: 13.1 % at 18-24, 17.6 % at 25-44, 18.0 % at 45-64, 8.8 % from 65 years",
        "CDC, Current Cigarette Smoking Among Adults, NHIS 2016 (smokebreaktherapy.com); MSMR, March 2024: "
        "active force 11.1 % by health assessment, 18.4 % by survey",
        "read",
    ),
    Source(
        "Deaths by age and sex (Gompertz curves through 45 to 90 years)",
        "CDC NCHS, United States Life Tables, 2021, NVSR 72(12), tables 2 and 3 (transcribed in a public repository)",
        "read",
    ),
)

MARRIED = ((18, 0.06), (19.5, 0.09), (21, 0.17), (25, 0.35), (30, 0.57), (35, 0.72), (42, 0.82), (60, 0.80), (80, 0.66))
SAME_SEX = 0.025
SINGLE_PARENT = 0.09
CHILDREN = ((0, 0.14), (1, 0.22), (2, 0.38), (3, 0.18), (4, 0.08))
DEPENDENT_UNTIL_YEARS = 21

# OMB category code, display, weight, lines of name tables are not tied to it on purpose.
RACES = (
    (("2106-3", "White"), 57),
    (("2054-5", "Black or African American"), 16),
    (("2028-9", "Asian"), 4),
    (("1002-5", "American Indian or Alaska Native"), 1.3),
    (("2076-8", "Native Hawaiian or Other Pacific Islander"), 0.9),
    (("2131-1", "Other Race"), 3.8),
)
"""Weights of those who are not Hispanic."""
HISPANIC = 0.16

BMI_IN_SERVICE_MAX = 30.5

SMOKES = ((15, 0.02), (20, 0.125), (30, 0.176), (50, 0.185), (62, 0.16), (68, 0.11), (75, 0.085), (90, 0.05))

DEATHS_A_YEAR = {"male": (0.00438, 0.0782), "female": (0.00244, 0.0853)}
DEATHS_FROM_YEARS = 45
"""Deaths a year are a·exp(b·(age - 45)) from 45 years on."""
DECEASED_WITHIN_YEARS = 5
