"""Vaccines by CVX code, and the ages and occasions at which they are given.

The plan here makes plausible histories; it is not a forecast and gives no advice.
"""

from dataclasses import dataclass
from datetime import date

from continuum.samples.data import Source

SOURCES = (
    Source(
        "Ages of childhood doses",
        "CDC child and adolescent immunization schedule by age, 2024, simplified (CDC's page, mirrored; trihealth.com)",
        "read",
    ),
    Source(
        "Children get PCV20 instead of PCV13 from October 2023",
        "ACIP updates, MMWR Morb Mortal Wkly Rep 2023;72(39):1072; immunize.org, 5 April 2024",
        "read",
    ),
    Source(
        "CVX codes and short names",
        "CDC's list of 3 September 2025 (in a value set of the SMART Health Cards vocabulary)",
        "read",
    ),
    Source(
        "Tdap or Td every 10 years of an adult",
        "CDC, Adult Immunization Schedule by Age, 2024 (cdc.gov/vaccines/hcp/imz-schedules/adult-age.html)",
        "read",
    ),
    Source(
        "Adults vaccinated: zoster 11.5 % at 50-64 and 39.5 % from 65 years, pneumococcal 69.0 % from 65 years",
        "CDC, Surveillance of Vaccination Coverage Among Adult Populations, 2018, MMWR Surveill Summ 2021;70(3):1-26, "
        "table 5 (PMC8162796)",
        "read",
    ),
    Source(
        "Zoster vaccines: the live one from 60 years of age and from 25 May 2006, the recombinant one (licensed 20 "
        "October 2017) given from 2018",
        "Table 1 of J Infect Dis 2021;224(Suppl 4):S429-S442 (PMC8482024); immunize.org, Zoster",
        "read",
    ),
    Source(
        "Adults get PCV20 from 28 January 2022, before that one dose of PPSV23 (PCV13 beside it is left out)",
        "Kobayashi et al., MMWR Morb Mortal Wkly Rep 2022;71(4):109-117, and Recomm Rep 2023;72(3) (summaries)",
        "read",
    ),
    Source("CVX codes 33 and 121", "each seen with its name in several public repositories", "read"),
    Source(
        "Vaccines at entry, in two clusters",
        "AR 40-562, 7 October 2013, summary of change (regsovereasy.com); lists of sucharmy.com and Brookside Press",
        "read",
    ),
    Source(
        "Intervals of the doses at entry: hepatitis B after 1 and 6 months, hepatitis A after 6 months",
        "Military Health System, Vaccine Recommendations by AOR, 30 May 2022 (health.mil, webcf.waybackmachine.org)",
        "read",
    ),
    Source(
        "First doses on the third day of service",
        "within the four days of reception in the Army (thegriffon108.com; army.mil/article/185564), from the first "
        "processing day in the Navy (navy.mil, All Hands), in the first two days in the Coast Guard (nj.com, September "
        "2017)",
        "read",
    ),
    Source(
        "MMR at entry for the 26.7 % who are not immune, varicella for 5.6 %; a second dose of both after 4 weeks",
        "recruits of the Army, 2006-07 (cdc.confex.com, National Immunization Conference 2009, paper 18244, and 2008, "
        "P15699); the interval of two doses, webmd.com, adult vaccine schedule",
        "read",
    ),
    Source(
        "Anthrax before deployment: for more than 15 days in the Central Command, from 45 days before, again after 4 "
        "weeks",
        "Misawa Air Base, 27 March 2007 (misawa.af.mil); Inside Defense, 23 September 2002; BioThrax label "
        "(drugs.com/dosage/biothrax-vaccine.html); given here before the first deployment, wherever it goes",
        "read",
    ),
    Source(
        "Typhoid before deployment",
        "Army, Immunizations (brooksidepress.org/intramuscular); the day is a plausible one",
        "read",
    ),
    Source(
        "Vaccinated in 2023-24: influenza 53 % of children, 49 % of adults, 74 % from 65 years; COVID-19 14, 23, 42 %",
        "CDC, Respiratory Illnesses: Vaccination Trends, 19 April 2024 (stacks.cdc.gov/view/cdc/154344)",
        "read",
    ),
    Source(
        "Vaccinated among those who serve: 96.7 % against COVID-19 by October 2021; influenza, a goal of 90 %, reached "
        "by 91 to 97 % of health care workers",
        "Military Health System, 15 October and 8 December 2021; MSMR, 1 November 2023 (health.mil)",
        "read",
    ),
    Source(
        "COVID-19: first doses of the families: 57 % at 12-15 and 64 % at 16-17 years, 67 to 86 % at 18-64 and 94 % "
        "from 65 years, here all in 2021",
        "CDC, December 2021 (businesshala.com, at least one dose); from 65 years fully vaccinated, April 2023 "
        "(Statista, at datasetsearch.research.google.com)",
        "read",
    ),
    Source(
        "COVID-19: yearly doses of those who serve",
        "as other adults of their age, above, for none is required since 10 January 2023 (dvidshub.net/audio/72151)",
        "read",
    ),
    Source(
        "Influenza vaccines are trivalent from the season of 2024",
        "Grohskopf et al., ACIP recommendations 2024-25, MMWR Recomm Rep 2024;73(5):1-25, summary (PMC11501009)",
        "read",
    ),
)


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A vaccine; `dose_ml` as given to those of its age. Into the muscle, if it is not `oral` or under the `skin`."""

    key: str
    cvx: str
    display: str
    dose_ml: float = 0.5
    oral: bool = False
    skin: bool = False


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
    Vaccine("influenza", "150", "Influenza, split virus, quadrivalent, PF"),
    Vaccine("influenza_trivalent", "140", "Influenza, split virus, trivalent, PF"),
    Vaccine("covid_first", "208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose", 0.3),
    Vaccine("covid", "309", "COVID-19, mRNA, LNP-S, PF, tris-sucrose, 30 mcg/0.3 mL", 0.3),
    Vaccine("hepa", "52", "Hep A, adult", 1.0),
    Vaccine("hepb", "43", "Hep B, adult", 1.0),
    Vaccine("adenovirus", "143", "Adenovirus types 4 and 7", 0.0, oral=True),
    Vaccine("typhoid", "101", "typhoid, ViCPs"),
    Vaccine("anthrax", "24", "Anthrax, pre-exposure prophylaxis, post-exposure prophylaxis"),
    Vaccine("zoster", "187", "zoster recombinant"),
    Vaccine("zoster_live", "121", "zoster live", 0.65, skin=True),
    Vaccine("pneumococcal_polysaccharide", "33", "pneumococcal polysaccharide PPV23"),
    Vaccine("pneumococcal", "216", "Pneumococcal conjugate PCV20, polysaccharide CRM197 conjugate, adjuvant, PF"),
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
    (3, ("mmr", "varicella", "hepa", "hepb", "tdap", "menacwy", "adenovirus", "ipv")),
    (33, ("mmr", "hepb", "varicella")),
    (190, ("hepa", "hepb")),
)
# The share of those who enter who need it, of what is not given to all.
NEEDED_AT_ENTRY = {"mmr": 0.267, "varicella": 0.056}
# Days before the first deployment.
BEFORE_DEPLOYMENT: tuple[tuple[int, tuple[str, ...]], ...] = ((45, ("typhoid", "anthrax")), (17, ("anthrax",)))
# Years of age of an adult, the share of those who have not had it yet, and how many doses some months apart.
ADULT: tuple[tuple[float, str, float, int], ...] = (
    (50.2, "zoster", 0.115, 2),
    (65.2, "zoster", 0.316, 2),
    (65.3, "pneumococcal", 0.69, 1),
)
ADULT_DOSES_APART_DAYS = 100


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an adult got `until` a day, one dose from `from_years` of age and from the day `since` on."""

    key: str
    since: date
    from_years: float
    until: date


EARLIER = {
    "zoster": Earlier("zoster_live", date(2006, 5, 25), 60, date(2018, 1, 1)),
    "pneumococcal": Earlier("pneumococcal_polysaccharide", date(1990, 1, 1), 65, date(2022, 1, 28)),
}
TDAP_EVERY_YEARS = 10
# What is given instead from a day on.
REPLACED: dict[str, tuple[date, str]] = {"pcv": (date(2023, 10, 1), "pneumococcal")}
INFLUENZA = {"service": 0.93, "child": 0.53, "adult": 0.41, "old": 0.74}
"""Shares by group; those of adults below 65 years follow from all adults' and the old's, who are 22 % of adults."""
TRIVALENT_FROM_YEAR = 2024
COVID_FIRST_YEAR = 2021
COVID_FIRST = {"service": 0.967, "child": 0.6, "adult": 0.76, "old": 0.94}
COVID = {"service": 0.18, "child": 0.14, "adult": 0.18, "old": 0.42}
