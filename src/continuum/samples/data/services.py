"""The six services: their names, ranks by pay grade, occupations, and how many serve."""

from dataclasses import dataclass
from datetime import date

from continuum.samples.data import Source
from continuum.samples.data.bases import Branch

SOURCES = (
    Source(
        "Active duty by service, share of women, share of officers",
        "DoD, 2022 Demographics: Profile of the Military Community (USNI News, 29 November 2023)",
        "read",
    ),
    Source(
        "Pay grades of officers: O-2 after 18 months, O-3 after 4 years, O-4 after 10, O-5 after 16, O-6 after 22",
        "DoDI 1320.13 as in Army Pamphlet 600-3 (usmilitary.about.com, Promotion flow)",
        "read",
    ),
    Source(
        "Pay grades E-2 to E-4: after 6 to 9 months, 9 to 18 months, 2 to 3 years",
        "What the Recruiter Never Told You, part 11 (usmilitary.about.com)",
        "read",
    ),
    Source(
        "Pay grade E-5 after 5.2 years: Army 4.2, Marine Corps 4.8, Navy 5.2, Coast Guard 6.5, Air Force 6.9, weighted",
        "DoD report to Congress, averages of 1999 (Kitsap Sun, 30 August 2000)",
        "read",
    ),
    Source(
        "Pay grade E-6 after 9.2 years (Army 8.2, Navy and Marine Corps 8.8, Air Force 11.1, weighted), E-7 after 14, "
        "E-8 after 18.4, E-9 after 22.6",
        "averages of 2012 of the four services (Philpott, pntonline.com, 10 December 2013)",
        "read",
    ),
    Source(
        "Pay grades of warrant officers: appointed after 6 to 8 years and at least as E-6, here after 8; W-2 after 2 "
        "years, W-3 and W-4 after 5 more each",
        "D.C. National Guard, Warrant Officer Grade Structure (dc.ng.mil); ourmilitary.com, How to become a warrant "
        "officer",
        "read",
    ),
    Source(
        "Length of deployments: Army 9 months from 2012 and 12 before, Navy 8, Marine Corps 6 to 9, Air Force 4 and "
        "for almost half 6 or more",
        "globaldefence.net and ABC News, 5 August 2011; USNI News, 24 January 2014; thegunzone.com, How long is the "
        "average deployment; afcent.af.mil, Rumors untrue",
        "read",
    ),
    Source(
        "Years between deployments in the Navy: 3, the cycle of carrier strike groups",
        "USNI News, The Navy's New Deployment Plan, 24 January 2014 (news.usni.org)",
        "read",
    ),
    Source(
        "Years of active service for each deployment: Army 4.4, Marine Corps 4.5, Air Force 4.3",
        "deployments to Iraq and Afghanistan from October 2001 to October 2009 (1.5 million, 392,900, 771,400; Marine "
        "Corps Times, 18 December 2009, at ufppc.org) by strengths of 2010 (globalsecurity.org, end-strength)",
        "read",
    ),
    Source(
        "Reserve and Guard deploy 2.2 times as seldom",
        "shares who had deployed once and more often by October 2004, 33.6 and 14.6 % of the active, 13.3 and 7.5 % "
        "of the reserve components (thebalance.com, Deployment Rates)",
        "read",
    ),
    Source(
        "Coast Guard: away for 36 to 140 days, 5 years of service for each patrol",
        "patrols of Escanaba and Stratton (coastguardnews.com); 185 days a year at most (DTIC AD1079071) of the 3,800 "
        "who sail in major cutters (chuckhillscgblog.net, 1 June 2021) among all",
        "read",
    ),
    Source(
        "Space Force: nobody is away, for it is employed in place",
        "Space Operations Command, fact sheet, Space Force Generation (spoc.spaceforce.mil): most, not all",
        "read",
    ),
    Source(
        "Families by the sponsor's status: those in military care",
        "TRICARE Prime, 1.37 million active, 566,000 retired (health.mil, Patients by TRICARE Plan); 434,689 in the "
        "Guard and 332,042 in the other reserves, 2022 (statistico.com)",
        "read",
    ),
    Source(
        "Veterans who are not retired: 2.2 for each who is",
        "about the one facility of both departments live 78,000 veterans beside 67,000 retirees and members of their "
        "families (report of the National Academies on the Lovell Federal Health Care Center, 2012, abstract), of whom "
        "36 % are retirees as in TRICARE Prime, 566,000 beside 999,000 (health.mil, Patients by TRICARE Plan); these "
        "are veterans, too",
        "read",
    ),
)

ACTIVE_DUTY: tuple[tuple[Branch, float], ...] = (
    ("army", 461_657),
    ("navy", 340_065),
    ("marines", 174_577),
    ("air_force", 320_421),
    ("space_force", 8_000),
    ("coast_guard", 39_485),
)
WOMEN = 0.175
OFFICERS = 0.182

_RETIRED_NEARBY = 67_000 * 566 / (566 + 999)
STATUSES = (
    ("active", 1_370_000),
    ("reserve", 332_042),
    ("guard", 434_689),
    ("retired", 566_000),
    ("veteran", 566_000 * (78_000 - _RETIRED_NEARBY) / _RETIRED_NEARBY),
)

BRANCH_NAMES: dict[Branch, str] = {
    "army": "Army",
    "navy": "Navy",
    "marines": "Marine Corps",
    "air_force": "Air Force",
    "space_force": "Space Force",
    "coast_guard": "Coast Guard",
}

# Years of service after which a grade is held.
ENLISTED_AFTER = ((0, 1), (0.5, 2), (1.2, 3), (2.5, 4), (5.2, 5), (9.2, 6), (14, 7), (18.4, 8), (22.6, 9))
WARRANT_AFTER = ((8, 1), (10, 2), (15, 3), (20, 4))
OFFICER_AFTER = ((0, 1), (1.5, 2), (4, 3), (10, 4), (16, 5), (22, 6))

_ARMY = ("Private", "Private", "Private First Class", "Specialist", "Sergeant", "Staff Sergeant",
         "Sergeant First Class", "Master Sergeant", "Sergeant Major")  # fmt: skip
_NAVY = ("Seaman Recruit", "Seaman Apprentice", "Seaman", "Petty Officer Third Class", "Petty Officer Second Class",
         "Petty Officer First Class", "Chief Petty Officer", "Senior Chief Petty Officer",
         "Master Chief Petty Officer")  # fmt: skip
_MARINES = ("Private", "Private First Class", "Lance Corporal", "Corporal", "Sergeant", "Staff Sergeant",
            "Gunnery Sergeant", "Master Sergeant", "Master Gunnery Sergeant")  # fmt: skip
_AIR = ("Airman Basic", "Airman", "Airman First Class", "Senior Airman", "Staff Sergeant", "Technical Sergeant",
        "Master Sergeant", "Senior Master Sergeant", "Chief Master Sergeant")  # fmt: skip
_SPACE = ("Specialist 1", "Specialist 2", "Specialist 3", "Specialist 4", "Sergeant", "Technical Sergeant",
          "Master Sergeant", "Senior Master Sergeant", "Chief Master Sergeant")  # fmt: skip
ENLISTED: dict[Branch, tuple[str, ...]] = {
    "army": _ARMY,
    "navy": _NAVY,
    "marines": _MARINES,
    "air_force": _AIR,
    "space_force": _SPACE,
    "coast_guard": _NAVY,
}
_LAND = ("Second Lieutenant", "First Lieutenant", "Captain", "Major", "Lieutenant Colonel", "Colonel")
_SEA = ("Ensign", "Lieutenant Junior Grade", "Lieutenant", "Lieutenant Commander", "Commander", "Captain")
OFFICER: dict[Branch, tuple[str, ...]] = {
    "army": _LAND,
    "navy": _SEA,
    "marines": _LAND,
    "air_force": _LAND,
    "space_force": _LAND,
    "coast_guard": _SEA,
}
WARRANT = ("Warrant Officer 1", "Chief Warrant Officer 2", "Chief Warrant Officer 3", "Chief Warrant Officer 4")
WITH_WARRANTS: tuple[Branch, ...] = ("army", "navy", "marines", "coast_guard")


@dataclass(frozen=True, slots=True)
class Occupation:
    """What someone does. `noise` is 0 (office) to 3 (flight line, gunnery); `strain` scales injuries."""

    title: str
    noise: int
    strain: float


OCCUPATIONS: dict[Branch, tuple[Occupation, ...]] = {
    "army": (
        Occupation("Infantry", 3, 1.8),
        Occupation("Field artillery", 3, 1.5),
        Occupation("Wheeled vehicle mechanic", 2, 1.3),
        Occupation("Health care specialist", 1, 1.1),
        Occupation("Signal support", 1, 1.0),
        Occupation("Logistics", 1, 1.0),
        Occupation("Human resources", 0, 0.8),
    ),
    "navy": (
        Occupation("Machinist's mate", 3, 1.1),
        Occupation("Aviation ordnance", 3, 1.2),
        Occupation("Hospital corpsman", 1, 1.0),
        Occupation("Electronics technician", 1, 0.9),
        Occupation("Culinary specialist", 1, 1.0),
        Occupation("Intelligence specialist", 0, 0.8),
    ),
    "marines": (
        Occupation("Rifleman", 3, 1.9),
        Occupation("Amphibious vehicle crew", 3, 1.5),
        Occupation("Aircraft maintenance", 3, 1.2),
        Occupation("Motor transport", 2, 1.3),
        Occupation("Supply administration", 0, 0.9),
    ),
    "air_force": (
        Occupation("Aircraft maintenance", 3, 1.1),
        Occupation("Security forces", 2, 1.2),
        Occupation("Aerospace medical service", 1, 1.0),
        Occupation("Cyber systems operations", 0, 0.7),
        Occupation("Air transportation", 2, 1.2),
    ),
    "space_force": (
        Occupation("Space systems operations", 0, 0.7),
        Occupation("Cyber operations", 0, 0.7),
        Occupation("Intelligence", 0, 0.7),
    ),
    "coast_guard": (
        Occupation("Boatswain's mate", 2, 1.3),
        Occupation("Machinery technician", 3, 1.2),
        Occupation("Aviation survival technician", 3, 1.4),
        Occupation("Operations specialist", 0, 0.8),
    ),
}

# Mean years from one deployment to the next. The first comes sooner; a life has as many as are cited.
DEPLOYED_EVERY_YEARS: dict[Branch, float] = {
    "army": 3.3,
    "navy": 3.0,
    "marines": 3.7,
    "air_force": 3.8,
    "coast_guard": 4.1,
}
RESERVES_EVERY = 2.2
# Days away, at least and at most.
DEPLOYED_DAYS: dict[Branch, tuple[int, int]] = {
    "army": (255, 290),
    "navy": (220, 260),
    "marines": (180, 270),
    "air_force": (110, 190),
    "coast_guard": (36, 140),
}
ARMY_DAYS_BEFORE = (date(2012, 1, 1), (350, 380))
