"""How bodies grow and age: height, body mass index, pulse, breathing, blood pressure by age in years."""

from continuum.samples.data import Source

SOURCES = (
    Source("Median height and BMI of children", "WHO 2006 to 2 years, CDC 2000 growth charts from 2 years", "recalled"),
    Source("Median BMI from 14 to 20 years", "raised towards NHANES 2015-2018, so that it meets the adults'", "chosen"),
    Source("Pulse and breathing of children", "Fleming et al., Lancet 2011, medians", "recalled"),
    Source("Blood pressure by age", "AAP 2017 (children), NHANES (adults), medians without hypertension", "recalled"),
)

HEIGHT_CM = {
    "male": (
        (0, 49.9), (0.25, 61.4), (0.5, 67.6), (1, 75.7), (1.5, 82.3), (2, 87.1), (3, 95.6), (4, 102.7), (5, 109.4),
        (6, 115.7), (8, 128.0), (10, 138.8), (12, 149.3), (13, 156.4), (14, 164.0), (15, 169.6), (16, 173.0),
        (18, 175.0), (19, 175.3),
    ),
    "female": (
        (0, 49.1), (0.25, 59.8), (0.5, 65.7), (1, 74.0), (1.5, 80.7), (2, 85.7), (3, 94.4), (4, 101.5), (5, 108.3),
        (6, 115.0), (8, 127.6), (10, 138.4), (11, 144.6), (12, 151.2), (13, 156.8), (14, 159.8), (16, 161.2),
        (18, 161.5),
    ),
}  # fmt: skip
HEIGHT_SD_SHARE = 0.041
"""One standard deviation of height, as a share of the median, at every age."""

BMI = (
    (0, 13.4), (0.25, 16.7), (0.5, 17.2), (1, 16.8), (1.5, 16.2), (2, 16.4), (4, 15.7), (6, 15.5), (8, 16.0),
    (10, 16.9), (12, 18.2), (14, 20.0), (16, 22.0), (18, 23.9), (20, 25.2), (30, 27.4), (45, 28.9), (60, 29.0),
    (75, 28.0), (90, 26.0),
)  # fmt: skip
BMI_LOG_SD = ((0, 0.07), (2, 0.075), (8, 0.12), (14, 0.15), (25, 0.165))

PULSE = ((0, 140), (0.5, 130), (1, 122), (2, 112), (5, 98), (10, 85), (15, 76), (18, 72), (70, 70))
BREATHS = ((0, 42), (0.5, 38), (1, 34), (2, 28), (5, 23), (10, 19), (15, 17), (18, 16))
SYSTOLIC = {
    "male": ((0, 72), (1, 86), (5, 95), (10, 103), (14, 110), (18, 116), (40, 119), (60, 124), (85, 128)),
    "female": ((0, 72), (1, 86), (5, 94), (10, 102), (14, 107), (18, 109), (40, 113), (60, 122), (85, 128)),
}
LDL = ((2, 85), (18, 95), (40, 118), (60, 124), (85, 108))
EGFR = ((2, 112), (20, 112), (40, 100), (60, 85), (80, 68), (95, 58))
