"""Vaccines by CVX code, and the ages and occasions at which they are given.

The plan here makes plausible histories; it is not a forecast and gives no advice.
"""

from dataclasses import dataclass

from continuum.samples.data import Source

SOURCES = (
    Source("Ages of childhood doses", "CDC child and adolescent immunization schedule 2024, simplified", "recalled"),
    Source("CVX codes", "CDC; most seen in Synthea's records", "recalled"),
    Source("Ages of adults' doses", "CDC adult immunization schedule 2024, simplified", "recalled"),
    Source("Vaccines at entry and before deployment", "AR 40-562 / DHA immunization programme, simplified", "recalled"),
    Source("Shares of influenza and COVID-19 vaccination", "CDC FluVaxView, rounded", "recalled"),
)


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A vaccine; `dose_ml` as given to those of its age."""

    key: str
    cvx: str
    display: str
    dose_ml: float = 0.5
    oral: bool = False


_ALL = (
    Vaccine("hepb_child", "08", "Hep B, adolescent or pediatric"),
    Vaccine("rotavirus", "119", "rotavirus, monovalent", 1.0, oral=True),
    Vaccine("dtap", "20", "DTaP"),
    Vaccine("hib", "49", "Hib (PRP-OMP)"),
    Vaccine("pcv", "133", "Pneumococcal conjugate PCV 13"),
    Vaccine("ipv", "10", "IPV"),
    Vaccine("mmr", "03", "MMR"),
    Vaccine("varicella", "21", "varicella"),
    Vaccine("hepa_child", "83", "Hep A, ped/adol, 2 dose"),
    Vaccine("tdap", "115", "Tdap"),
    Vaccine("hpv", "165", "HPV9"),
    Vaccine("menacwy", "114", "meningococcal MCV4P"),
    Vaccine("influenza", "150", "Influenza, injectable, quadrivalent, preservative free"),
    Vaccine("covid_first", "208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose", 0.3),
    Vaccine("covid", "309", "COVID-19, mRNA, LNP-S, PF, tris-sucrose, 30 mcg/0.3 mL", 0.3),
    Vaccine("hepa", "52", "Hep A, adult", 1.0),
    Vaccine("hepb", "43", "Hep B, adult", 1.0),
    Vaccine("adenovirus", "143", "Adenovirus types 4 and 7", 0.0, oral=True),
    Vaccine("typhoid", "101", "typhoid, ViCPs"),
    Vaccine("anthrax", "24", "anthrax"),
    Vaccine("zoster", "187", "zoster recombinant"),
    Vaccine("pneumococcal", "216", "Pneumococcal conjugate vaccine 20-valent"),
)
VACCINES = {vaccine.key: vaccine for vaccine in _ALL}

# Months of age at which a dose is due; all doses of one age are given on one day.
CHILDHOOD: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.03, ("hepb_child",)),
    (2, ("hepb_child", "rotavirus", "dtap", "hib", "pcv", "ipv")),
    (4, ("rotavirus", "dtap", "hib", "pcv", "ipv")),
    (6, ("hepb_child", "dtap", "pcv", "ipv")),
    (12, ("mmr", "varicella", "hepa_child", "hib", "pcv")),
    (15, ("dtap",)),
    (18, ("hepa_child",)),
    (50, ("dtap", "ipv", "mmr", "varicella")),
    (134, ("tdap", "hpv", "menacwy")),
    (141, ("hpv",)),
    (194, ("menacwy",)),
)
# Days after entry into service.
ENTRY: tuple[tuple[int, tuple[str, ...]], ...] = (
    (4, ("mmr", "varicella", "hepa", "hepb", "tdap", "menacwy", "adenovirus", "ipv")),
    (34, ("mmr", "hepb", "varicella")),
    (190, ("hepa", "hepb")),
)
# Days before the first deployment.
BEFORE_DEPLOYMENT: tuple[tuple[int, tuple[str, ...]], ...] = ((60, ("typhoid", "anthrax")), (30, ("anthrax",)))
# Years of age of an adult.
ADULT: tuple[tuple[float, str, float], ...] = (
    (50.2, "zoster", 0.6),
    (50.5, "zoster", 0.55),
    (65.3, "pneumococcal", 0.7),
)
TDAP_EVERY_YEARS = 10
INFLUENZA = {"service": 0.97, "child": 0.6, "adult": 0.42, "old": 0.72}
COVID_FIRST_YEAR = 2021
COVID = {"service": 0.75, "child": 0.12, "adult": 0.22, "old": 0.5}
