"""How bodies grow and age: height, body mass index, pulse, breathing, blood pressure by age in years."""

from continuum.samples.data import Source

SOURCES = (
    Source(
        "Height below 2 years, BMI below 2 years (both sexes averaged)",
        "WHO Child Growth Standards 2006, medians of the LMS tables, spread of BMI at birth too (as in the package "
        "rcpchgrowth 4.6.5)",
        "read",
    ),
    Source(
        "Height from 2 years, BMI from 2 to 14 years (both sexes averaged), spread of both",
        "CDC Growth Charts 2000, statage and bmiagerev, LMS tables (as in the package rcpchgrowth 4.6.5)",
        "read",
    ),
    Source(
        "Median height, median and spread of BMI from 20 years, all ages together",
        "CDC NCHS, Anthropometric Reference Data 2007-2010, Vital Health Stat 11(252), tables 10, 12, 14 and 15 "
        "(copied in Terracotta's BodyData)",
        "read",
    ),
    Source(
        "BMI by age of adults: means of 26.6 at 20-29 and 28.7 at 50-59 years (men), highest at 55 to 59, less in old "
        "age; from 14 to 20 years a straight way from the growth charts to that",
        "NHANES 1999-2002, CDC's report on mean weight, height and BMI (livestrong.com/article/135472); the course "
        "also in Gallup, 850,000 adults, 24.9 at 18-24 and 28.5 at 55-59 by their own report (amren.com, 6 August "
        "2012)",
        "read",
    ),
    Source(
        "Pulse and breathing to 18 years",
        "Fleming et al., Lancet 2011;377:1011-1018: abstract (PMC3789232), medians of the age bands as transcribed in "
        "two public repositories",
        "read",
    ),
    Source(
        "Blood pressure from 1 to 17 years, medians at median height",
        "Flynn et al., AAP guideline, Pediatrics 2017, tables 4 and 5 (as in the package pedbp)",
        "read",
    ),
    Source(
        "Blood pressure of adults without hypertension: 116 over 69 on average, rising with age, men's above women's",
        "CDC NCHS, National Health Statistics Reports 35 (2011), NHANES 2001-2008 (abstract, PMID 21485611)",
        "read",
    ),
    Source(
        "Pulse of adults: 72 on average from 20 years on, 71 of men and 74 of women",
        "CDC NCHS, National Health Statistics Reports 41 (2011), NHANES 1999-2008 "
        "(abstract, stacks.cdc.gov/view/cdc/12363)",
        "read",
    ),
    Source(
        "Blood pressure of newborns: 65 over 45 on the first day, 70 over 46 on the fourth, 77 to 80 over 50 after "
        "two weeks, 85 to 88 over 50 some weeks later",
        "Normative blood pressure data in the early neonatal period, Pediatr Nephrol, September 2007 (qxmd.com, "
        "abstract); after two weeks Nickavar and Assadi, Int J Prev Med 2014;5(Suppl 1):S39-S43 "
        "(clinicalpub.com/tables-of-normal-values, table B.1)",
        "read",
    ),
    Source(
        "Filtration rate by age: 116 at 20-29 years, 107, 99, 93, 85, then 75 from 70 years",
        "NIH NKDEP, Frequently asked questions about GFR estimates: means of NHANES III after Coresh, Am J Kidney "
        "Dis 41(1):1-12 (web archive of the University of North Texas, 2009)",
        "read",
    ),
    Source(
        "LDL cholesterol: means of 101 of males, 107 of females at 12 to 80 years, rising to middle age, then falling; "
        "by decade from 20 years medians of 97, 116, 122, 112, 112, 87 of men and 93, 103, 111, 124, 113, 99 of women, "
        "those in treatment included",
        "NHANES 2015-2018 (abstract at discovery.researcher.life); the decades from its fasting subsample, cycles not "
        "stated, read only as labnorms.com/analytes/ldl-cholesterol tabulates it",
        "read",
    ),
    Source(
        "Atorvastatin 40 mg lowers LDL cholesterol by 45 %",
        "droracle.ai, article 247017, after the label and trials, which were not read",
        "read",
    ),
    Source(
        "HDL cholesterol below 40: 21.5 % of men, 6.6 % of women",
        "CDC NCHS, NHANES August 2021-August 2023 (PMC11726265, abstract); the means are set to give that",
        "read",
    ),
    Source(
        "LDL cholesterol at 12 to 19 years: 86 on average; as much in younger children, who were not measured",
        "NHANES 2015-2016, Perak et al., JAMA 2019;321:1895-1905 (PMC6537842, abstract)",
        "read",
    ),
    Source(
        "Filtration rate below 20 years: 120, the lower end of the 120 to 130 of children of 11 years",
        "droracle.ai, article 365187; recent studies find less (PMC5570001, abstract)",
        "read",
    ),
)

HEIGHT_CM = {
    "male": (
        (0, 49.9), (0.25, 61.4), (0.5, 67.6), (1, 75.7), (1.5, 82.3), (2, 86.5), (3, 95.0), (4, 102.2), (5, 108.9),
        (6, 115.4), (8, 127.9), (10, 138.6), (12, 149.1), (13, 156.1), (14, 163.8), (15, 169.9), (16, 173.5),
        (17, 175.3), (18, 176.0),
    ),
    "female": (
        (0, 49.1), (0.25, 59.8), (0.5, 65.7), (1, 74.0), (1.5, 80.7), (2, 85.0), (3, 93.9), (4, 100.8), (5, 107.7),
        (6, 114.7), (8, 127.6), (10, 138.0), (11, 144.0), (12, 151.2), (13, 157.2), (14, 160.4), (15, 161.9),
        (16, 162.1),
    ),
}  # fmt: skip
HEIGHT_SD_SHARE = 0.042
"""One standard deviation of height, as a share of the median, at every age (published: 0.038 at birth, 0.050 at 13
years, 0.043 of adults)."""

BMI = (
    (0, 13.4), (0.25, 16.6), (0.5, 17.1), (1, 16.6), (1.5, 15.9), (2, 16.5), (4, 15.5), (6, 15.3), (8, 15.8),
    (10, 16.7), (12, 17.9), (14, 19.3), (16, 21.3), (18, 23.3), (20, 25.2), (30, 27.2), (45, 28.3), (60, 28.5),
    (75, 27.7), (90, 26.0),
)  # fmt: skip
BMI_LOG_SD = (
    (0, 0.094),
    (1, 0.084),
    (2, 0.083),
    (4, 0.075),
    (8, 0.109),
    (12, 0.14),
    (16, 0.142),
    (20, 0.17),
    (25, 0.20),
)

_CHILD_PULSE = (
    (0, 127), (0.08, 145), (0.4, 140), (0.6, 134), (0.9, 128), (1.25, 123), (1.75, 116), (2.5, 110), (3.5, 104),
    (5, 98), (7, 91), (10, 84), (13.5, 78), (16.5, 73),
)  # fmt: skip
PULSE = {"male": (*_CHILD_PULSE, (20, 71)), "female": (*_CHILD_PULSE, (20, 74))}
BREATHS = (
    (0, 44), (0.125, 43), (0.4, 41), (0.6, 39), (0.9, 37), (1.25, 35), (1.75, 31), (2.5, 28), (3.5, 25), (5, 23),
    (7, 21), (10, 19), (13.5, 18), (16.5, 16),
)  # fmt: skip
_NEWBORN_SYSTOLIC = ((0, 65), (0.01, 70), (0.04, 78), (0.1, 86))
SYSTOLIC = {
    "male": (*_NEWBORN_SYSTOLIC, (1, 86), (5, 94), (10, 100), (14, 111), (17, 117), (40, 118), (60, 121), (85, 127)),
    "female": (*_NEWBORN_SYSTOLIC, (1, 86), (5, 93), (10, 99), (14, 108), (17, 110), (40, 111), (60, 118), (85, 127)),
}
DIASTOLIC_SHARE = (
    (0, 0.67), (0.01, 0.635), (0.04, 0.62), (0.1, 0.564), (1, 0.473), (5, 0.561), (10, 0.598), (14, 0.575), (17, 0.577),
    (22, 0.585),
)  # fmt: skip
"""Diastolic pressure is this share of the systolic and 1.5 mmHg; to 17 years from the same tables, sexes averaged."""
LDL = {
    "male": ((2, 85), (12, 85), (19, 88), (25, 97), (35, 121), (45, 133), (55, 128), (65, 139), (78, 84)),
    "female": ((2, 85), (12, 85), (19, 88), (25, 93), (35, 104), (45, 116), (55, 137), (65, 141), (78, 116)),
}
"""Of those without high cholesterol, so that with the others and their treatment about the cited medians come out."""
STATIN_LOWERS_LDL = 0.45
HDL = {"male": (48, 9.2), "female": (59, 11.3)}
"""The mean, and how far a person of unusual weight and lipids is from it."""
HDL_VARIES = 5.0
"""The standard deviation of one person's results."""
EGFR = ((18, 120), (25, 116), (35, 107), (45, 99), (55, 93), (65, 86), (78, 81), (95, 68))
"""Of those without kidney disease."""
