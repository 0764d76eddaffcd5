"""Medicines by RxNorm code, with the instruction a patient reads."""

from dataclasses import dataclass

from continuum.samples.data import Source

SOURCES = (
    Source("RxNorm codes", "seen in Synthea's records and public value sets, a few by ingredient or brand", "read"),
    Source(
        "RxNorm code of oseltamivir",
        "openFDA, drug/ndc, product 70518-3247 of 75 mg; HL7 RESP-NET guide, example of its administration "
        "(build.fhir.org)",
        "read",
    ),
    Source(
        "Doses of sertraline and apixaban",
        "Wheeless' Textbook of Orthopaedics, Sertraline (wheelessonline.com); MIMS, Eliquis, Dosage (mimsdev.com)",
        "read",
    ),
    Source(
        "Doses of empagliflozin, fluticasone with salmeterol, oseltamivir",
        "Drugs.com, Dosage (empagliflozin-metformin, fluticasone-salmeterol); Medscape, Tamiflu",
        "read",
    ),
    Source(
        "Doses of tamsulosin, alendronate, sumatriptan (at most 200 mg a day), ibuprofen (at most 1,200 mg a day)",
        "biopharm-ye.com (Tamonic-MR); wholehealthmd.com (alendronate); Singapore General Hospital (sgh.com.sg, "
        "sumatriptan); P&T 2008;33:404-416, table 1 (PMC2740949)",
        "read",
    ),
    Source(
        "Doses of methylphenidate, allopurinol and azithromycin",
        "Drugs.com, Dosage (methylphenidate, allopurinol, azithromycin)",
        "read",
    ),
    Source(
        "Doses of loratadine, metoprolol and lisinopril",
        "labels: DailyMed, Loratadine tablet (setid 2bc586e4-5297-44cf-e063-6294a90a531d); linkedlifedata.com, "
        "dailymed-drugs/569; newmedicalterms.com/renal/lisinopril",
        "read",
    ),
    Source(
        "Doses of nitrofurantoin, omeprazole, levothyroxine, prazosin, acetaminophen",
        "Medscape, Macrodantin; MIMS, Miracid (mimsdev.com) and Eltroxin (mims.com); Green, J Psychiatr Pract "
        "2014;20(4) (abstract); Arthritis Foundation, Acetaminophen 325 mg (arthritis.org)",
        "read",
    ),
    Source(
        "Doses of amlodipine, atorvastatin, metformin, albuterol, fluticasone, hydrocortisone, escitalopram, "
        "naproxen, aspirin, amoxicillin, ondansetron",
        "droracle.ai, articles 310787, 892337, 827318, 626227, 254457, 271932, 868209, 138626, 707000, 719862 and "
        "487426, which report labels and guidelines; those were not read themselves",
        "read",
    ),
    Source(
        "Dose of iron: 325 mg once a day, not with dairy products",
        "a maker's page (ruipunutrients.com, post 39178)",
        "read",
    ),
)


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine. `times` a day; `as_needed` for those taken only when needed; `supply_days` per dispensing."""

    key: str
    rxnorm: str
    display: str
    instruction: str
    times: int = 1
    as_needed: bool = False
    supply_days: int = 90


_ALL = (
    Medicine("lisinopril", "314076", "lisinopril 10 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine("amlodipine", "197361", "amlodipine 5 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine("atorvastatin", "617311", "atorvastatin 40 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine(
        "metformin",
        "860975",
        "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
        "Take 2 tablets by mouth with the evening meal.",
    ),
    Medicine("empagliflozin", "1545653", "empagliflozin", "Take one 10 mg tablet by mouth in the morning."),
    Medicine(
        "albuterol",
        "745679",
        "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
        "Inhale 2 puffs every 4 to 6 hours if needed for wheezing.",
        4,
        as_needed=True,
    ),
    Medicine(
        "fluticasone_inhaled",
        "895994",
        "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler",
        "Inhale 2 puffs twice a day and rinse the mouth.",
        2,
    ),
    Medicine(
        "fluticasone_salmeterol",
        "896209",
        "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
        "Inhale 1 puff twice a day and rinse the mouth.",
        2,
    ),
    Medicine("loratadine", "311372", "loratadine 10 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine(
        "hydrocortisone",
        "106258",
        "hydrocortisone 10 MG/ML Topical Cream",
        "Apply a thin layer twice a day for up to two weeks.",
        2,
        supply_days=14,
    ),
    Medicine(
        "methylphenidate",
        "1091392",
        "methylphenidate hydrochloride 20 MG Oral Tablet",
        "Take half a tablet in the morning and at noon.",
        2,
        supply_days=30,
    ),
    Medicine(
        "omeprazole",
        "198051",
        "omeprazole 20 MG Delayed Release Oral Capsule",
        "Take 1 capsule by mouth before breakfast.",
    ),
    Medicine("sertraline", "312941", "sertraline 50 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine(
        "escitalopram",
        "352272",
        "escitalopram 10 MG Oral Tablet [Lexapro]",
        "Take 1 tablet by mouth once a day.",
    ),
    Medicine("prazosin", "312593", "prazosin 1 MG Oral Capsule", "Take 1 capsule by mouth at bedtime."),
    Medicine(
        "sumatriptan",
        "313161",
        "sumatriptan 50 MG Oral Tablet",
        "Take 1 tablet at the start of a migraine; at most 2 in 24 hours.",
        as_needed=True,
        supply_days=30,
    ),
    Medicine(
        "naproxen",
        "198014",
        "naproxen 500 MG Oral Tablet",
        "Take 1 tablet by mouth twice a day with food.",
        2,
        supply_days=30,
    ),
    Medicine(
        "ibuprofen",
        "310965",
        "ibuprofen 200 MG Oral Tablet",
        "Take 2 tablets by mouth every 8 hours with food if needed for pain.",
        3,
        as_needed=True,
        supply_days=14,
    ),
    Medicine(
        "levothyroxine",
        "966247",
        "levothyroxine sodium 0.05 MG Oral Tablet [Synthroid]",
        "Take 1 tablet by mouth in the morning on an empty stomach.",
    ),
    Medicine("allopurinol", "197319", "allopurinol 100 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine(
        "tamsulosin",
        "863669",
        "tamsulosin hydrochloride 0.4 MG Oral Capsule",
        "Take 1 capsule by mouth half an hour after the same meal each day.",
    ),
    Medicine(
        "alendronate",
        "904419",
        "alendronic acid 10 MG Oral Tablet",
        "Take 1 tablet with a full glass of water in the morning; stay upright for 30 minutes.",
    ),
    Medicine("aspirin", "243670", "aspirin 81 MG Oral Tablet", "Take 1 tablet by mouth once a day."),
    Medicine(
        "metoprolol",
        "866436",
        "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet",
        "Take 1 tablet by mouth once a day.",
    ),
    Medicine("apixaban", "1364445", "apixaban 5 MG Oral Tablet", "Take 1 tablet by mouth twice a day.", 2),
    Medicine(
        "acetaminophen",
        "313782",
        "acetaminophen 325 MG Oral Tablet",
        "Take 2 tablets every 6 hours if needed for fever or pain, at most 10 in 24 hours; children by weight.",
        4,
        as_needed=True,
        supply_days=7,
    ),
    Medicine(
        "amoxicillin",
        "308182",
        "amoxicillin 250 MG Oral Capsule",
        "Take 1 capsule by mouth three times a day for 10 days; young children as suspension by weight.",
        3,
        supply_days=10,
    ),
    Medicine(
        "azithromycin",
        "308460",
        "azithromycin 250 MG Oral Tablet",
        "Take 2 tablets on the first day, then 1 tablet a day for 4 days.",
        supply_days=5,
    ),
    Medicine(
        "oseltamivir",
        "312122",
        "oseltamivir 75 MG Oral Capsule",
        "Take one 75 mg capsule by mouth twice a day for 5 days; children by weight.",
        2,
        supply_days=5,
    ),
    Medicine(
        "ondansetron",
        "198052",
        "ondansetron 4 MG Oral Tablet",
        "Take 2 tablets by mouth every 8 hours if needed for nausea; children 1 tablet.",
        3,
        as_needed=True,
        supply_days=3,
    ),
    Medicine(
        "nitrofurantoin",
        "311995",
        "nitrofurantoin, macrocrystals 50 MG Oral Capsule",
        "Take 1 capsule by mouth four times a day with food for 7 days.",
        4,
        supply_days=7,
    ),
    Medicine(
        "iron",
        "310325",
        "ferrous sulfate 325 MG Oral Tablet",
        "Take 1 tablet by mouth once a day, not together with milk.",
    ),
)
MEDICINES = {medicine.key: medicine for medicine in _ALL}
PENICILLINS = frozenset(("amoxicillin",))
PENICILLIN_INSTEAD = "azithromycin"
