# ruff: noqa: E501  a row on one line reads as a table
"""Illnesses that stay: how common they are by age and sex, what goes with them, how they are treated.

`prevalence` is a curve over age. A person's place in it decides once for life whether and when the illness comes:
the onset is the age at which the curve passes that place. So the share of the ill at any age is the curve itself.
Of an illness that some outgrow (`stays`) the curve counts those who ever had it; the cited shares are of those who
have it still, if the source says no other.
"""

from dataclasses import dataclass
from typing import Literal

from continuum.samples.data import Source

SOURCES = (
    Source(
        "Hypertension by age and sex (140/90 or treated)",
        "CDC NCHS, Health, United States, 2005-2008, figure 15",
        "read",
    ),
    Source(
        "Diabetes: 2.3-3.5 % at 18-44, 11.6-15.2 % at 45-64, 20-22 % from 65 years",
        "CDC NCHS QuickStats, NHIS 2019",
        "read",
    ),
    Source("Asthma: 9.7 % of women, 5.5 % of men", "CDC NCHS QuickStats, NHIS 2017-2018", "read"),
    Source("Osteoporosis: 12.6 % from 50 years", "CDC NCHS Data Brief 405, NHANES 2017-2018", "read"),
    Source("Tinnitus of the active force: 6.3 new per 1,000 a year", "Am J Audiol 2019;28:866-876 (abstract)", "read"),
    Source(
        "High cholesterol by age, measured or treated: 7.5 % (measured) at 20-39, 17 % treated and 15.7 % measured at "
        "40-59, 48 % treated from 75 years",
        "CDC NCHS Data Briefs 363 (NHANES 2015-2018) and 177 (NHANES 2011-2012)",
        "read",
    ),
    Source(
        "PTSD after deployment: 11 to 20 %",
        "VA National Center for PTSD (veteranrehab.org); 15.8 % screen positive in the National Health Study for a New "
        "Generation, Dursa et al. 2014 (abstract)",
        "read",
    ),
    Source(
        "PTSD without deployment: 2.3 to 3.0 %",
        "Millennium Cohort, new symptoms or diagnoses of those not deployed, Smith et al., BMJ 2008;336:366 "
        "(PMC2244768, abstract)",
        "read",
    ),
    Source(
        "Allergic rhinitis: 20.0 % of boys, 17.7 % of girls, 25.7 % of adults",
        "CDC NCHS Data Briefs 459 and 460, NHIS 2021 (NCHS press release, 26 January 2023)",
        "read",
    ),
    Source(
        "Eczema: 10.4, 12.1 and 9.8 % of children below 6, 12 and 18 years, 7.3 % of adults",
        "CDC NCHS Data Briefs 459 and 460, NHIS 2021 (HealthDay at oullins-patriote.com; the brief itself at "
        "jasem.chiachoob.com)",
        "read",
    ),
    Source(
        "Eczema of children: 80 % over within 8 years, more than 95 % within 20",
        "Kim et al., J Am Acad Dermatol 2016;75:681-687 (PMC5216177, abstract)",
        "read",
    ),
    Source(
        "Allergic rhinitis: a quarter of the children who have it have it no more 18 years later, half 60 years later",
        "BAMSE, Lindqvist et al., Allergy 2023, doi 10.1111/all.15927 (dissem.in, abstract); of adults 17 % were "
        "without it after 8 years, Bodtger and Linneberg, J Allergy Clin Immunol 2004;114:1384-1388 "
        "(pubmedhh.nlm.nih.gov, abstract); 60 years from 18 are this pace continued",
        "read",
    ),
    Source(
        "ADHD: 14.5 % of boys, 8.0 % of girls at 5-17 ever had it; 6.0 % of adults have it",
        "CDC NCHS Data Brief 499, NHIS 2020-2022 (cdc.gov); Staley et al., MMWR Morb Mortal Wkly Rep "
        "2024;73(40):890-895 (abstract); after how many years it is over is set to give that",
        "read",
    ),
    Source(
        "Depression: 7.0 % of men, 13.8 % of women take medicine for it",
        "CDC NCHS QuickStats, NHIS 2021 (blogs.cdc.gov/nchs/category/depression)",
        "read",
    ),
    Source(
        "Migraine: 8.6 % of males, 17.5 % of females of all ages",
        "Cephalalgia 2010;30:1065-1072, NHIS 2003 (abstract at bvbvf1.bib-bvb.de)",
        "read",
    ),
    Source(
        "Sleep apnea: between those with daytime sleepiness (6 % of men, 4 % of women) and all (22 and 17 %)",
        "Franklin and Lindberg, review of eleven studies, J Thorac Dis (jtd.amegroups.com/article/view/4797, abstract)",
        "read",
    ),
    Source(
        "Chronic low back pain: 700 of 5,103 at 20-69 years",
        "NHANES 2009-2010, Shmagel et al., Arthritis Care Res 2016;68:1688-1694 (PMC5027174, abstract); not weighted",
        "read",
    ),
    Source(
        "Knee osteoarthritis, diagnosed and felt: 9.3 % by 60 years; of 14 million people 2 below 45, 6 at 45 to 65",
        "NHIS 2007-2008, Losina et al., Arthritis Care Res 2013;65:703-711, and Deshpande et al., 2016;68:1743-1750 "
        "(abstracts)",
        "read",
    ),
    Source(
        "Hypothyroidism, treated: 78.3 % of the women and 56.3 % of the men who have it; 9.6 % of adults, 72 % women",
        "NHANES 2009-2012, Tessnow et al., Endocr Pract 2025;31:359-365 (thyroid.org), and Wyne et al., J Endocr Soc "
        "2022;7:bvac172 (abstract)",
        "read",
    ),
    Source(
        "Gout: 0.7 % at 20-39, 3.4 % at 40-59, 8.8 % at 60-79, 8.7 % from 80 years; 5.2 % of men, 2.7 % of women",
        "NHANES 2015-2016, Chen-Xu et al., Arthritis Rheumatol 2019;71:991-999, table 1 (PMC6536335)",
        "read",
    ),
    Source(
        "Benign prostatic hyperplasia, diagnosed: 10.3 % of men above 45, 24 % at 80 years",
        "European studies, as in GPnotebook, epidemiology of BPH, March 2021 (pharmacy-notebook.com)",
        "read",
    ),
    Source(
        "Coronary disease: 8.3 % of men, 6.2 % of women from 20 years",
        "NHANES 2015-2018, AHA/ACC guideline on chronic coronary disease, 2023, table 4 "
        "(eguideline.guidelinecentral.com)",
        "read",
    ),
    Source(
        "Atrial fibrillation: 0.1 % below 55 years, 9.0 % from 80 years; 1.1 % of men, 0.8 % of women",
        "Go et al., JAMA 2001;285:2370-2375 (divisionofresearch.kaiserpermanente.org, abstract)",
        "read",
    ),
    Source(
        "COPD: 3.4 % of men, 4.1 % of women, 10.5 % from 75 years",
        "CDC NCHS Data Brief 529, NHIS 2023 (jamesatthemill.com/nchs/products/databriefs/db529.htm)",
        "read",
    ),
    Source(
        "Reflux, treated: 8.7 % of adults take a proton pump inhibitor on prescription, 80 % of them are 50 years or "
        "more",
        "NHANES 2009-2013, Res Social Adm Pharm 2020;16:776-782 (togows.dbcls.jp, pubmed 31445985, abstract); "
        "symptoms in the past week have 30.9 %, Delshad et al., Gastroenterology 2020;158:1250-1261 (abstract)",
        "read",
    ),
    Source(
        "Anxiety: 10.2 % of men, 15.0 % of women feel worried, nervous or anxious every day",
        "CDC NCHS, NHIS 2019 (safetylit.org, citation 689927, August 2021); between those with a generalized anxiety "
        "disorder (1.9 and 3.4 %, nimh.nih.gov) and with any (14.3 and 23.4 %, NIMH as at xsmb2023.org)",
        "read",
    ),
    Source(
        "Tinnitus of those who do not serve: 9.6 and 11.2 % of adults, more of men; 14.3 % at 60-69 years have it "
        "daily",
        "NHIS 2007 (PMC5812683, abstract) and 2014, Batts et al., Lancet Reg Health Am 2024;29:100659 (abstract); "
        "NHANES 1999-2004, Am J Med 2010, doi 10.1016/j.amjmed.2010.02.015 (abstract)",
        "read",
    ),
    Source(
        "Hearing loss of those who do not serve: 5 % at 45-54, 10 % at 55-64, 22 % at 65-74, 55 % from 75 years; of "
        "men to 69 years almost twice as many as of women",
        "NIDCD, Quick statistics about hearing, disabling hearing loss (50pluslifepa.com)",
        "read",
    ),
    Source(
        "Kidney disease of stage 3: 6.4 % of adults from 20 years, hardly any below 40",
        "NHANES 2013-2016, USRDS 2018 Annual Data Report, chapter 1 (scribd.com/document/605097666); all stages "
        "together 6.0 % at 18-39, 42.6 % from 70 years, women more than men (nccd.cdc.gov/CKD, Q9)",
        "read",
    ),
    Source(
        "SNOMED CT codes of lasting illnesses",
        "each seen with its meaning in Synthea's records and modules or in public repositories",
        "read",
    ),
)

Knots = tuple[tuple[float, float], ...]
Panel = Literal["bmp", "lipids", "a1c", "cbc", "tsh", "urate"]


@dataclass(frozen=True, slots=True)
class Regimen:
    """A medicine given from `after_days` after the diagnosis, for `days` (None: from then on)."""

    medicine: str
    after_days: int = 0
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Chronic:
    """An illness that stays. `service` scales it for those who passed an entry examination; `drives` names risks.

    `stays` is the share of those who still have it so many years after its onset, if that was before `ends_before`
    years of age; without it the illness never ends.
    """

    key: str
    snomed: str
    display: str
    icd10: str
    male: Knots
    female: Knots
    treatment: tuple[Regimen, ...] = ()
    visits_a_year: float = 0.0
    panels: tuple[Panel, ...] = ()
    service: float = 1.0
    drives: str = ""
    clinic: str = "medicine"
    stays: Knots = ()
    ends_before: float = 0.0


_NEVER: Knots = ((0, 0.0),)

# fmt: off
CHRONIC: tuple[Chronic, ...] = (
    Chronic("hypertension", "38341003", "Hypertensive disorder", "I10",
            ((18, .03), (30, .13), (40, .24), (50, .38), (60, .52), (75, .70), (90, .78)),
            ((18, .01), (30, .06), (40, .15), (50, .31), (60, .50), (75, .72), (90, .82)),
            (Regimen("lisinopril", 20), Regimen("amlodipine", 400)), 1.6, ("bmp",), .75, "weight"),
    Chronic("hyperlipidemia", "55822004", "Hyperlipidemia", "E78.5",
            ((20, .02), (35, .12), (45, .25), (60, .42), (75, .50)),
            ((20, .01), (35, .07), (45, .17), (60, .40), (75, .50)),
            (Regimen("atorvastatin", 60),), .8, ("lipids",), .9, "lipids"),
    Chronic("diabetes2", "44054006", "Diabetes mellitus type 2", "E11.9",
            ((20, .0), (30, .012), (45, .075), (60, .16), (75, .24)),
            ((20, .0), (30, .012), (45, .065), (60, .14), (75, .21)),
            (Regimen("metformin", 5), Regimen("empagliflozin", 900)), 2.6, ("a1c", "bmp", "lipids"), .4, "weight"),
    Chronic("asthma", "195967001", "Asthma", "J45.909",
            ((1, .0), (4, .04), (10, .068), (17, .072), (40, .075)),
            ((1, .0), (4, .03), (10, .06), (17, .08), (45, .11)),
            (Regimen("albuterol", 0), Regimen("fluticasone_inhaled", 40)), 1.1, (), .25, "", "family"),
    Chronic("allergic_rhinitis", "61582004", "Allergic rhinitis", "J30.9",
            ((1, .0), (5, .20), (10, .28), (25, .34), (80, .475)), ((1, .0), (5, .165), (10, .25), (25, .34), (80, .475)),
            (Regimen("loratadine", 0),), .3, (), .9, "", "family", ((0, 1.0), (18, .75), (60, .5)), 100),
    Chronic("eczema", "24079001", "Atopic dermatitis", "L20.9",
            ((0.2, .0), (2, .12), (6, .20), (12, .31), (18, .37), (30, .42)), ((0.2, .0), (2, .12), (6, .20), (12, .31), (18, .37), (30, .45)),
            (Regimen("hydrocortisone", 0, 90),), .3, (), .5, "", "family", ((0, 1.0), (8, .20), (20, .045), (60, .02)), 18),
    Chronic("adhd", "406506008", "Attention deficit hyperactivity disorder", "F90.9",
            ((4, .0), (6, .08), (9, .14), (12, .17), (17, .19)), ((4, .0), (6, .03), (9, .07), (13, .10), (17, .12)),
            (Regimen("methylphenidate", 14),), 1.8, (), .2, "", "behavioral",
            ((0, 1.0), (10, .82), (25, .56), (50, .18), (75, .09)), 18),
    Chronic("gerd", "235595009", "Gastroesophageal reflux disease", "K21.9",
            ((18, .005), (35, .026), (45, .055), (55, .13), (75, .185)), ((18, .005), (35, .026), (45, .055), (55, .13), (75, .185)),
            (Regimen("omeprazole", 0),), .5, (), 1.0, "weight"),
    Chronic("depression", "35489007", "Depressive disorder", "F32.A",
            ((13, .0), (20, .045), (40, .075), (70, .08)), ((13, .0), (18, .08), (40, .145), (70, .16)),
            (Regimen("sertraline", 7),), 2.2, (), .9, "", "behavioral"),
    Chronic("anxiety", "197480006", "Anxiety disorder", "F41.9",
            ((10, .0), (20, .085), (40, .108)), ((10, .0), (20, .125), (40, .158)),
            (Regimen("escitalopram", 30),), 1.6, (), .9, "", "behavioral"),
    Chronic("ptsd", "47505003", "Posttraumatic stress disorder", "F43.10",
            ((19, .0), (28, .025), (45, .05), (70, .07)), ((19, .0), (28, .035), (45, .06), (70, .06)),
            (Regimen("sertraline", 20), Regimen("prazosin", 120)), 3.0, (), 1.0, "deployed", "behavioral"),
    Chronic("migraine", "37796009", "Migraine", "G43.909",
            ((6, .0), (20, .09), (50, .11)), ((6, .0), (20, .18), (50, .23)),
            (Regimen("sumatriptan", 0),), .8, (), .9, "", "medicine"),
    Chronic("sleep_apnea", "78275009", "Obstructive sleep apnea syndrome", "G47.33",
            ((22, .0), (35, .07), (50, .17), (65, .22)), ((25, .0), (40, .04), (55, .10), (70, .14)),
            (), .8, (), 1.1, "weight", "medicine"),
    Chronic("low_back_pain", "278860009", "Chronic low back pain", "M54.50",
            ((18, .0), (25, .05), (40, .14), (60, .22)), ((18, .0), (25, .05), (40, .13), (60, .23)),
            (Regimen("naproxen", 0, 60),), 1.2, (), 1.2, "strain", "therapy"),
    Chronic("knee_osteoarthritis", "239873007", "Osteoarthritis of knee", "M17.9",
            ((22, .0), (45, .04), (60, .08), (75, .12)), ((22, .0), (45, .045), (60, .105), (75, .15)),
            (Regimen("ibuprofen", 0, 120),), .7, (), 1.2, "weight", "therapy"),
    Chronic("tinnitus", "60862001", "Tinnitus", "H93.19",
            ((18, .0), (25, .035), (40, .105), (60, .15), (75, .17)), ((18, .0), (25, .03), (40, .08), (60, .13), (75, .15)),
            (), .25, (), 1.0, "noise", "audiology"),
    Chronic("hearing_loss", "60700002", "Sensorineural hearing loss", "H90.3",
            ((22, .0), (35, .02), (50, .065), (60, .135), (70, .26), (80, .58), (90, .70)), ((25, .0), (40, .01), (50, .033), (60, .07), (70, .14), (80, .48), (90, .64)),
            (), .4, (), 1.0, "noise", "audiology"),
    Chronic("hypothyroidism", "40930008", "Hypothyroidism", "E03.9",
            ((20, .0), (45, .02), (70, .07)), ((20, .01), (45, .085), (70, .20)),
            (Regimen("levothyroxine", 10),), 1.1, ("tsh",), .7),
    Chronic("gout", "90560007", "Gout", "M10.9",
            ((25, .0), (45, .036), (65, .105)), ((35, .0), (50, .017), (65, .065), (80, .07)),
            (Regimen("allopurinol", 45),), .7, ("urate", "bmp"), .9, "weight"),
    Chronic("prostate_hyperplasia", "266569009", "Benign prostatic hyperplasia", "N40.0",
            ((45, .0), (55, .05), (65, .12), (80, .24)), _NEVER, (Regimen("tamsulosin", 15),), .7),
    Chronic("osteoporosis", "64859006", "Osteoporosis", "M81.0",
            ((60, .0), (75, .06), (88, .12)), ((50, .0), (60, .10), (75, .27), (88, .40)),
            (Regimen("alendronate", 20),), .7),
    Chronic("coronary_disease", "53741008", "Coronary arteriosclerosis", "I25.10",
            ((38, .0), (55, .07), (68, .19), (82, .32)), ((40, .0), (56, .055), (70, .15), (85, .24)),
            (Regimen("aspirin", 0), Regimen("metoprolol", 5)), 1.5, ("lipids", "bmp"), .8, "smoking"),
    Chronic("atrial_fibrillation", "49436004", "Atrial fibrillation", "I48.91",
            ((48, .0), (62, .013), (72, .04), (80, .085), (90, .12)), ((54, .0), (66, .012), (76, .04), (84, .08), (92, .10)),
            (Regimen("apixaban", 3), Regimen("metoprolol", 3)), 1.6, ("bmp", "cbc"), .9),
    Chronic("copd", "13645005", "Chronic obstructive lung disease", "J44.9",
            ((40, .0), (55, .04), (70, .085), (78, .10)), ((40, .0), (55, .05), (70, .10), (78, .11)),
            (Regimen("albuterol", 0), Regimen("fluticasone_salmeterol", 20)), 1.4, (), .9, "smoking"),
    Chronic("kidney_disease3", "433144002", "Chronic kidney disease stage 3", "N18.30",
            ((40, .0), (50, .015), (60, .06), (70, .155), (80, .29), (90, .40)), ((40, .0), (50, .02), (60, .07), (70, .18), (80, .32), (90, .42)),
            (), 1.4, ("bmp", "cbc"), .8),
)
# fmt: on

BY_KEY = {illness.key: illness for illness in CHRONIC}
