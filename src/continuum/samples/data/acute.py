# ruff: noqa: E501  a row on one line reads as a table
"""Illnesses and injuries that pass: how often a year, for how long, what is done about them."""

from dataclasses import dataclass
from datetime import date

from continuum.samples.data import Source
from continuum.samples.data.illnesses import Knots

SOURCES = (
    Source(
        "Visits a person a year: 2.7 below 18, 2.5 at 18-44, 3.7 at 45-54, 4.7 at 55-64, 6.4 at 65-74, 7.8 from 75 "
        "years",
        "CDC NCHS, Health, United States, data table for figure 22 (NBK21008): offices and outpatient departments, "
        "2003-04",
        "read",
    ),
    Source(
        "Injuries of the active force: 82 % overuse; knee and lower leg 22 %, lower back 20 %, ankle and foot 13 %",
        "Hauret et al., Am J Prev Med 2010;38(1S):S61-S70 (abstract); the order of magnitude only, the knee is too "
        "rare",
        "read",
    ),
    Source(
        "Ankle sprains of the active force: between 35 first ones of all services and 103 of the Army, all counted, "
        "per 1,000 a year",
        "Cameron et al., J Athl Train 2010;45:29-38, and Bulathsinhala et al. (scholars.uthscsa.edu) (abstracts)",
        "read",
    ),
    Source(
        "Appendicitis: 23 per 10,000 a year at 10 to 19 years; 8.6 % of men, 6.7 % of women in a lifetime",
        "Addiss et al., Am J Epidemiol 1990;132:910-925 (researchgate.net/publication/20915978, abstract)",
        "read",
    ),
    Source(
        "Tears of the meniscus: 8.27 per 1,000 of the active force a year, 4.25 times as many above 40 years of age as "
        "below 20; of those who do not serve, 2.2 per 1,000 at 18 to 55 years",
        "Jones et al., J Athl Train 2012;47(1):67-73 (meridian.allenpress.com/jat/article/47/1/67/110716, abstract); "
        "tears seen by MRI, Ahmed et al., Knee Surg Sports Traumatol Arthrosc 2021;29:3892-3898 (PMC8514344)",
        "read",
    ),
    Source(
        "Heat stroke in the active force: 0.32 to 0.45 per 1,000 a year, most below 20 years of age",
        "MSMR, 1 April 2019 and 1 April 2024, rates of 2018 and 2023 (health.mil)",
        "read",
    ),
    Source(
        "Cystitis: 10.8 % of women from 18 years a year, 17.5 % at 18-24",
        "Foxman et al., Ann Epidemiol 2000;10:509-515 (pubmed 11118930, abstract; the young as told in bjgp.org "
        "65/639/e702)",
        "read",
    ),
    Source(
        "Pneumonia in hospital: 24.8 per 10,000 adults a year, 63.0 at 65-79, 164.3 from 80 years",
        "Jain et al., N Engl J Med 2015;373:415-427 (HealthDay, 15 July 2015, at ehealth-news.com)",
        "read",
    ),
    Source(
        "Myocardial infarction: 160 per 100,000 a year at 45-54, 307 at 55-64, 530 at 65-74, 1,080 from 75 years, 23 "
        "below",
        "rates of 2007, Am J Cardiol 2012;109:1589-1593, table 1 (PMC3351562)",
        "read",
    ),
    Source(
        "Kidney stones: 0.6 to 0.9 % of adults a year are treated for one",
        "Medical Expenditure Panel Survey, 2005 to 2015 (urotoday.com, recent abstract 127596); 2.1 % passed one by "
        "their own report, NHANES 2015-2018 (urotoday.review, 134277)",
        "read",
    ),
    Source(
        "Fractures of the forearm: 7.4 per 1,000 children a year, most at 10 to 13 years",
        "Korup et al., Denmark, Bone Jt Open 2022;3:448-454 (pubmed 35658607, abstract)",
        "read",
    ),
    Source(
        "Otitis media: 387 visits per 1,000 children below 2 years a year, fewer later",
        "NAMCS and NHAMCS 2012-2014, Ambulatory visits for otitis media before and after pneumococcal conjugate "
        "vaccination (discovery.researcher.life, abstract)",
        "read",
    ),
    Source(
        "Concussion in the active force: between 6.6 and 17 per 1,000 a year",
        "mild brain injuries of 1997-2007, Cameron et al., J Neurotrauma 2012;29:1313-1321; first ones of any kind, "
        "11.4 before the first deployment and 16.9 during one, 2001-2016, Williams et al., MSMR 2017;24(3):2-8 "
        "(safetylit.org) (abstracts)",
        "read",
    ),
    Source(
        "Low back pain of the active force: 10 to 12 % a year, 4 % for the first time",
        "Mullinax et al., Navy and Marine Corps 2009-2015, Mil Med 2021, doi 10.1093/milmed/usab432, and Knox et al., "
        "Spine 2011;36:1492 (abstracts)",
        "read",
    ),
    Source(
        "Colds: between the 37 million visits of a year, 12 per 100 people, and the 23.6 per 100 that need a "
        "physician or keep from work or school, almost half of them below 17 years",
        "Harris et al., Ann Intern Med 2016;164:425-434 as in BMJ Best Practice, Common cold, epidemiology; NHIS 1994 "
        "and 1996 (cureresearch.com/c/cold/stats.htm)",
        "read",
    ),
    Source(
        "Acute bronchitis: 5 % of adults, 6 % of children a year",
        "clinicaleducation.org, December 2015, after a review",
        "read",
    ),
    Source(
        "Streptococcal sore throat: between 17.6 visits per 1,000 people a year in the West and 39.1 in the South, "
        "most at school age",
        "Kline et al., claims of 2010-2018, Clin Infect Dis 2024;ciae083 (pubmed 38373257, abstract)",
        "read",
    ),
    Source(
        "Gastroenteritis: 1,269 visits per 10,000 children below 5 years; 546 per 10,000 people of all ages, of which "
        "norovirus, 71, is 13 %",
        "Pont et al., 1995-2004, J Pediatr 2009;155:56-61 (pubmed 19394047); J Infect Dis 2013;207:1058-1065, "
        "2001-2009 (unboundmedicine.com) (abstracts)",
        "read",
    ),
    Source(
        "Sinusitis: between 37 and 60 per 1,000 people below 20 years a year, 56 per 1,000 of all",
        "antibiotics given for it in NAMCS and NHAMCS: by age, 2010-2015 (PMC9377284, table 1); of all, Fleming-Dutra "
        "et al., JAMA 2016;315:1864-1873 (profiles.wustl.edu)",
        "read",
    ),
    Source(
        "Influenza: 115 visits per 1,000 children below 5 years a year, 70 at 5-17, 33 at 18-49, 61 at 50-64, 33 from "
        "65 years",
        "CDC, Estimated Flu-Related Illnesses, Medical Visits, Hospitalizations, and Deaths, mean of the seasons of "
        "2017 to 2020 (archive.cdc.gov, flu/about/burden), by how many people of each age there were in "
        "2018 (Census Bureau), which alone is recalled",
        "recalled",
    ),
    Source(
        "COVID-19, from 1 April 2020: between 23 and 30 visits per 1,000 people a year, 64 % of them from 65 years of "
        "age; one is in hospital for 9 visits",
        "Koumans et al., JAMA Intern Med 2026, doi 10.1001/jamainternmed.2025.7179, October 2022 to September 2024 "
        "(abstract at s4me.info; ages, unmc.edu, 7 January 2026); its ICD-10 code is valid from that day "
        "(icd10monitor.com, 19 March 2020)",
        "read",
    ),
    Source(
        "Contact dermatitis: between 26 and 37 visits per 1,000 people a year",
        "77 million visits in 2001-10, Cutis 2014;94:285-292 (mdedge.com); 178 million in 2001-16, Hao et al. 2024 "
        "(abstract at searchworks.jioinstitute.edu.in)",
        "read",
    ),
    Source(
        "Conjunctivitis: 22 per 1,000 people a year, 104 per 1,000 in the first year of life, fewer with age",
        "claims, Schneider et al., J Manag Care Med 2014 (scribd.com, document 407136657); Bothun et al., Am J "
        "Ophthalmol 2022;241:145-148 (pubmed 35469786, abstract); the course over the ages as at symcat.com",
        "read",
    ),
    Source(
        "Shoulders: 14.7 per 1,000 adults a year come with one for the first time, 20 per 1,000 from 50 years; 11 per "
        "1,000 of the active force",
        "Linsell et al., Rheumatology 2006;45:215-221 (pubmed 16263781, abstract); impingement 7.8, Hsiao et al., J "
        "Shoulder Elbow Surg 2015;24:1486-1492 (vivo.weill.cornell.edu), and the labrum 3.3, Allen et al., Mil Med "
        "2024;189:e1032 (metajournal.com) (abstracts)",
        "read",
    ),
    Source(
        "Lacerations of the hand: between 2.5 and 8.8 per 1,000 people a year in emergency departments, twice as many "
        "at 18-24 years as in children or from 45 years",
        "hand and finger, Sandler et al., J Emerg Med 2022;62:707-715 (metajournal.com); 35 % of 7.27 million of 2002 "
        "were of the arm or hand, Am J Emerg Med 2006;24:183-188 (pubmed 16490648) (abstracts); ages, cuts in NHAMCS "
        "2005-06, Health, United States (NBK19620, table 93)",
        "read",
    ),
    Source(
        "Gallstones that are operated: 2.85 per 1,000 people a year, 1.2 per 1,000 of the active force ill; 2.3 times "
        "as many women as men",
        "934,000 a year, Unalp-Arida and Ruhl, World J Gastrointest Surg 2024;16:1130-1148 (wjgnet.com); MSMR 2019, "
        "no. 12, 8-13 (scholar.usuhs.edu); Scand J Gastroenterol 2014;49:92-98 (pubmed 24354967) (abstracts)",
        "read",
    ),
    Source(
        "SNOMED CT codes of passing illnesses",
        "each seen with its meaning in Synthea's records and modules or in public repositories",
        "read",
    ),
)


@dataclass(frozen=True, slots=True)
class Acute:
    """An illness that passes. `rate` is episodes a year by age; `emergency` and `admitted` are chances.

    Only who comes as an emergency is admitted. Of a `strain` those who never served have `at_home` times the rate.
    Nobody had it before the day `since`.
    """

    key: str
    snomed: str
    display: str
    icd10: str
    rate: Knots
    days: tuple[int, int]
    sex: str = ""
    emergency: float = 0.05
    admitted: float = 0.0
    stay_days: tuple[int, int] = (1, 3)
    medicine: str = ""
    fever_c: float = 0.0
    strain: bool = False
    at_home: float = 0.8
    since: date = date.min
    winter: bool = False
    procedure: tuple[str, str] | None = None
    once: bool = False
    follow_up_days: int = 0


# fmt: off
ACUTE: tuple[Acute, ...] = (
    Acute("cold", "82272006", "Common cold", "J00", ((0, .55), (4, .4), (12, .18), (60, .12)), (5, 12), winter=True, medicine="acetaminophen", fever_c=.6, emergency=.03),
    Acute("otitis", "65363002", "Otitis media", "H66.90", ((.3, .42), (2, .36), (3, .28), (8, .05), (20, .0)), (7, 14), medicine="amoxicillin", fever_c=1.2, emergency=.12),
    Acute("pharyngitis", "43878008", "Streptococcal sore throat", "J02.0", ((2, .04), (7, .14), (15, .07), (30, .02), (60, .007)), (6, 10), medicine="amoxicillin", fever_c=1.4),
    Acute("bronchitis", "10509002", "Acute bronchitis", "J20.9", ((1, .04), (5, .06), (17, .06), (30, .045), (80, .06)), (10, 21), winter=True, fever_c=.4),
    Acute("sinusitis", "36971009", "Sinusitis", "J32.9", ((0, .01), (3, .03), (8, .045), (15, .05), (30, .06), (50, .066), (70, .06), (85, .045)), (8, 21), winter=True),
    Acute("influenza", "6142004", "Influenza", "J11.1", ((2, .12), (5, .10), (10, .07), (16, .056), (20, .035), (44, .03), (49, .04), (54, .065), (62, .064), (67, .034), (80, .032)), (5, 10), winter=True, medicine="oseltamivir", fever_c=1.8, emergency=.1),
    Acute("covid", "840539006", "Disease caused by SARS-CoV-2", "U07.1", ((0, .02), (5, .008), (20, .009), (45, .012), (57, .018), (65, .06), (75, .10), (85, .12)), (7, 14), fever_c=1.1, emergency=.3, admitted=.35, stay_days=(3, 9), since=date(2020, 4, 1)),
    Acute("gastroenteritis", "25374005", "Gastroenteritis", "K52.9", ((0, .17), (5, .10), (12, .07), (18, .05), (80, .05)), (2, 5), fever_c=.5, emergency=.15, medicine="ondansetron"),
    Acute("dermatitis", "40275004", "Contact dermatitis", "L25.9", ((0, .08), (3, .04), (10, .02), (20, .03), (50, .033), (80, .033)), (7, 20), medicine="hydrocortisone"),
    Acute("conjunctivitis", "9826008", "Conjunctivitis", "H10.9", ((.5, .104), (2, .085), (8, .04), (20, .02), (35, .015), (50, .013), (75, .008)), (5, 9)),
    Acute("cystitis", "38822007", "Cystitis", "N30.90", ((14, .02), (18, .15), (21, .20), (27, .12), (50, .095), (85, .105)), (4, 8), sex="female", medicine="nitrofurantoin", emergency=.06),
    Acute("ankle_sprain", "44465007", "Sprain of ankle", "S93.409A", ((6, .02), (16, .07), (30, .06), (50, .02)), (14, 42), strain=True, medicine="ibuprofen", emergency=.25, procedure=("19490002", "Plain X-ray of ankle"), follow_up_days=14),
    Acute("meniscus_tear", "239720000", "Tear of meniscus of knee", "S83.209A", ((14, .0), (18, .0026), (22, .0044), (27, .0062), (32, .0081), (37, .0101), (42, .0130), (55, .0130), (75, .004)), (40, 110), strain=True, at_home=.25, medicine="naproxen", follow_up_days=21),
    Acute("back_strain", "279039007", "Low back pain", "M54.50", ((16, .02), (22, .09), (45, .11), (80, .08)), (10, 40), strain=True, medicine="ibuprofen", emergency=.08, follow_up_days=18),
    Acute("shoulder_injury", "307731004", "Injury of tendon of the rotator cuff of shoulder", "S46.019A", ((14, .0), (18, .005), (30, .0095), (40, .017), (50, .025), (80, .025)), (30, 90), strain=True, follow_up_days=28),
    Acute("laceration", "284549007", "Laceration of hand", "S61.419A", ((2, .007), (12, .007), (21, .015), (35, .011), (50, .007), (80, .006)), (10, 16), strain=True, emergency=.7, procedure=("288086009", "Suture of open wound")),
    Acute("forearm_fracture", "65966004", "Fracture of forearm", "S52.90XA", ((2, .003), (9, .0135), (13, .0145), (17, .007), (30, .003), (80, .006)), (42, 70), strain=True, emergency=.9, procedure=("274474001", "Bone immobilization"), follow_up_days=35),
    Acute("concussion", "62106007", "Concussion with no loss of consciousness", "S06.0X0A", ((3, .004), (16, .014), (30, .008), (80, .004)), (7, 21), strain=True, emergency=.7, follow_up_days=10),
    Acute("appendicitis", "74400008", "Appendicitis", "K37", ((4, .0005), (10, .002), (15, .0025), (20, .002), (30, .001), (70, .0004)), (14, 24), emergency=1.0, admitted=1.0, fever_c=1.2, procedure=("80146002", "Appendectomy"), once=True, follow_up_days=16),
    Acute("pneumonia", "233604007", "Pneumonia", "J18.9", ((0, .01), (5, .004), (25, .002), (45, .003), (62, .008), (67, .019), (72, .0225), (79, .030), (83, .060), (90, .066)), (14, 28), winter=True, emergency=.6, admitted=.45, stay_days=(2, 6), fever_c=1.9, medicine="azithromycin", follow_up_days=21),
    Acute("gallstones_women", "235919008", "Gallbladder calculus", "K80.20", ((15, .0), (18, .0006), (25, .0017), (35, .0036), (45, .0056), (60, .0072), (85, .0072)), (10, 30), sex="female", emergency=.8, admitted=.8, procedure=("45595009", "Laparoscopic cholecystectomy"), once=True, follow_up_days=15),
    Acute("gallstones_men", "235919008", "Gallbladder calculus", "K80.20", ((15, .0), (18, .0002), (25, .0006), (35, .0012), (45, .0024), (60, .0034), (85, .0034)), (10, 30), sex="male", emergency=.8, admitted=.8, procedure=("45595009", "Laparoscopic cholecystectomy"), once=True, follow_up_days=15),
    Acute("kidney_stone", "95570007", "Kidney stone", "N20.0", ((18, .002), (45, .009), (70, .009)), (4, 20), emergency=.8, medicine="ibuprofen"),
    Acute("heart_attack", "22298006", "Myocardial infarction", "I21.9", ((30, .0), (45, .001), (50, .0016), (60, .0031), (70, .0053), (80, .0098), (90, .0125)), (20, 40), emergency=1.0, admitted=1.0, stay_days=(3, 6), procedure=("415070008", "Percutaneous coronary intervention"), once=True, follow_up_days=14),
    Acute("heat_stroke", "52072009", "Heat stroke", "T67.01XA", ((17, .0), (19, .0007), (28, .0003), (40, .0002), (50, .0)), (2, 4), strain=True, emergency=1.0, admitted=.3, stay_days=(1, 2), fever_c=3.0),
)
# fmt: on
