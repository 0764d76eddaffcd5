"""Allergies: how many have them and how they show."""

from dataclasses import dataclass
from typing import Literal

from continuum.samples.data import Source

SOURCES = (
    Source("Penicillin allergy label: 10 % of patients",
           "CDC fact sheet (CBS Denver, 21 March 2016; Pharmacy Practice News, November 2023)", "read"),
    Source("Peanut allergy: 2.2 % of children; food allergy 5.8 to 7.6 % of children",
           "National survey of 38,408 children, 2015-2016 (PMC6317772, abstract); CDC NCHS Data Brief 459, NHIS 2021",
           "read"),
    Source("Sulfonamide label: 7.4 %, opiates 6.8 % of patients of two hospitals; 5 and 3.5 % here, who are younger",
           "Zhou et al., Allergy 2016;71:1305-1313 (pubmed 26970431, abstract)", "read"),
    Source("Shellfish allergy: 1.3 % of children; of adults 7.2 of 26 million, who are 10.8 %, so 2.9 %",
           "Gupta et al., Pediatrics 2018;142(6):e20181235, and JAMA Netw Open 2019;2(1):e185630 (PMC6324316) "
           "(abstracts); the millions by allergen as told by the authors (agdaily.com, scribd.com/article/397009361)",
           "read"),
    Source("Allergy to stings: 1.2 % of adults had systemic reactions",
           "Prevalence of allergy to Hymenoptera stings, doi 10.2500/108854190778999447 (litmetric.com, abstract); "
           "3.3 % in JAMA 1989;262:240-244", "read"),
    Source("Egg allergy: 0.9 % of children (2 % at 1 to 2 years, 0.5 % at 14 to 17: none of the samples' ends)",
           "Samady et al., Egg allergy in US children, 2015-2016 (scholars.northwestern.edu, abstract; summary at "
           "discovery.researcher.life)", "read"),
    Source("Latex allergy label: 1.0 % of patients (5.4 % of 1,491,102 entries of 7,814,799 patients)",
           "Barcena Blanch et al., Cleveland Clinic, AAAAI 2016 (aaaai.confex.com, paper 24477, abstract)", "read"),
    Source("Allergy to cats: between 10 million people, 3 %, and the 7 % of adults who say they have one to pets",
           "Lysol, Allergy facts and figures (lysol.com); SingleCare's survey of 2,000 adults, 12 % of the 59 % with "
           "an allergy (singlecare.com/blog/allergy-survey)", "read"),
    Source("Allergies to pollen and mites: 40 to 54 % and 22 to 30 % of those with rhinitis are bothered most by them; "
           "with the 25.7 % of adults who have it 10 and 6 % of all",
           "patients' survey, clinmedjournals.org/articles/ijam/ijam-6-042, table 2; antibodies have 19.7 % (grass) "
           "and 19.6 %, NHANES 2005-2006 (Environmental Health, 2020, s12940-020-00585-y, table 3)", "read"),
    Source("SNOMED CT codes of allergens and reactions",
           "each seen with its meaning in Synthea's modules or in public repositories", "read"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allergen:
    """An allergen by SNOMED CT substance. `share` get it, in the `span` years after `from_years` of age."""

    key: str
    code: str
    display: str
    category: Literal["food", "medication", "environment"]
    share: float
    reactions: tuple[tuple[str, str], ...]
    high: float
    from_years: float
    service: float = 1.0
    span: float = 12.0


_HIVES = ("247472004", "Wheal")
_RASH = ("271807003", "Eruption of skin")
_ANAPHYLAXIS = ("39579001", "Anaphylaxis")
_WHEEZE = ("56018004", "Wheezing")
_SNEEZE = ("76067001", "Sneezing")
_NAUSEA = ("422587007", "Nausea")

# fmt: off
ALLERGENS = (
    Allergen("penicillin", "764146007", "Penicillin", "medication", .10, (_HIVES, _RASH), .25, 2),
    Allergen("sulfonamide", "387406002", "Sulfonamide", "medication", .05, (_RASH,), .15, 5),
    Allergen("codeine", "387494007", "Codeine", "medication", .035, (_NAUSEA,), .0, 16),
    Allergen("peanut", "762952008", "Peanut", "food", .022, (_ANAPHYLAXIS, _HIVES), .75, .5, .1, 2),
    Allergen("shellfish", "735029006", "Shellfish", "food", .029, (_HIVES, _ANAPHYLAXIS), .45, 2, .4, 16),
    Allergen("egg", "102263004", "Eggs (edible)", "food", .0095, (_HIVES,), .1, .5, .1, 1.5),
    Allergen("grass", "256277009", "Grass pollen", "environment", .10, (_SNEEZE,), .0, 4),
    Allergen("mite", "260147004", "House dust mite", "environment", .06, (_SNEEZE, _WHEEZE), .02, 3),
    Allergen("cat", "260152009", "Cat dander", "environment", .04, (_SNEEZE, _WHEEZE), .02, 4),
    Allergen("bee", "288328004", "Bee venom", "environment", .012, (_HIVES, _ANAPHYLAXIS), .5, 6, .3),
    Allergen("latex", "111088007", "Latex", "environment", .010, (_RASH,), .1, 12, .5),
)
# fmt: on
