"""Health topics in plain words, written for this portal; where to read on is a public library of health."""

from collections.abc import Iterable
from dataclasses import dataclass

from continuum.chart.entry import N_

_LIBRARY = {"en": "https://medlineplus.gov/", "es": "https://medlineplus.gov/spanish/"}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. All texts are messages of ours. page: its name in the library.

    about: beginnings of words by which a condition in a record is known to be about it.
    """

    key: str
    title: str
    what: str
    do: str
    call: str
    page: str
    about: tuple[str, ...] = ()

    def address(self, language: str) -> str:
        """Where to read on."""
        return f"{_LIBRARY.get(language, _LIBRARY['en'])}{self.page}.html"


TOPICS = (
    Topic(
        "blood-pressure", N_("High blood pressure"),
        N_("The blood presses too hard on the vessels. Most people feel nothing, so only measuring tells."),
        N_("Less salt, walking most days, no tobacco, and taking the medicine every day, also when you feel well."),
        N_("Call your care team if the upper value stays above 180 or the lower one above 120, even without pain."),
        "highbloodpressure", ("hypertens",),
    ),
    Topic(
        "diabetes", N_("Diabetes"),
        N_("Sugar stays in the blood because the body lacks insulin or does not answer to it well."),
        N_("The A1c test shows the average of about three months. Eyes, feet and kidneys are looked at once a year."),
        N_("Call if you are very thirsty, very tired or confused, or if your sugar stays above what was agreed."),
        "diabetes", ("diabet", "prediabet"),
    ),
    Topic(
        "asthma", N_("Asthma"),
        N_("The airways swell and tighten now and then. Colds, smoke, pollen and effort can set it off."),
        N_("Know which inhaler is for every day and which one is for relief, and carry the one for relief."),
        N_("Call 911 if the relief inhaler does not help, or if speaking is hard."),
        "asthma", ("asthma",),
    ),
    Topic(
        "vaccines", N_("Vaccines"),
        N_("A vaccine shows the body what to fight before it meets the illness."),
        N_("Flu vaccine once a season; the others by age. Your record lists what was given and when."),
        N_("A sore arm and a mild fever pass in two days. Call if they do not."),
        "vaccines",
    ),
    Topic(
        "hearing", N_("Hearing and ringing ears"),
        N_("Noise damages hearing little by little, and what is lost does not come back."),
        N_("Wear protection at the range, on the flight line and in engine rooms; have hearing tested every year."),
        N_("Call the same day if you suddenly hear much less on one side."),
        "hearingdisordersanddeafness", ("hearing", "tinnitus"),
    ),
    Topic(
        "stress", N_("Stress, sleep and hard memories"),
        N_("After danger, loss or a long deployment, bad sleep, anger and sudden memories are common and treatable."),
        N_("Talk to somebody early. Treatment works, and asking for help is a sign of good judgment."),
        N_("If you think of hurting yourself or somebody else, call or text 988 now, and press 1."),
        "posttraumaticstressdisorder", ("posttraumatic", "anxiety", "depress", "insomnia", "stress"),
    ),
    Topic(
        "cholesterol", N_("Cholesterol"),
        N_("Fat in the blood settles in the walls of the vessels and narrows them over many years. It is not felt."),
        N_("Less fat from meat and dairy, more oats, beans and fish, walking most days; the medicine in the evening if"
           " one was prescribed. LDL is the part that should be low."),
        N_("Call your care team if muscles ache or weaken while you take a statin. Chest pain that lasts: call 911."),
        "cholesterol", ("hyperlipid", "hypercholesterol", "cholesterol", "dyslipid"),
    ),
    Topic(
        "kidneys", N_("Kidneys that work less"),
        N_("The kidneys clean the blood. When they slow down, eGFR falls and creatinine rises, long before it is"
           " felt."),
        N_("Blood pressure and sugar within what was agreed; no ibuprofen or naproxen without asking; say that you have"
           " it before a scan with contrast."),
        N_("Call if your legs or your face swell, if there is much less urine, or if you vomit and cannot drink."),
        "chronickidneydisease", ("kidney", "renal", "nephropath"),
    ),
    Topic(
        "gout", N_("Gout"),
        N_("Uric acid forms crystals in a joint, often that of the big toe, which turns red and hurts within hours."),
        N_("In an attack: rest, cold and the medicine at once. Between attacks: water, little beer and red meat, and"
           " the medicine that lowers uric acid every day."),
        N_("Call the same day if you have a fever with a hot joint, or if the pain does not ease within two days."),
        "gout", ("gout",),
    ),
    Topic(
        "back-and-joints", N_("Back and joints"),
        N_("Loads, marches and hard landings wear on back, knees and shoulders. Most pain goes within six weeks."),
        N_("Keep moving as far as the pain allows, and build strength little by little. Heat helps many. Ask early for"
           " physical therapy."),
        N_("Call at once if a leg grows weak or numb, or if you cannot hold urine or stool."),
        "backpain", ("back", "lumbago", "lumbar", "osteoarthritis", "arthritis", "knee"),
    ),
    Topic(
        "sleep", N_("Sleep and snoring"),
        N_("Grown-ups need seven hours or more. Loud snoring with pauses, and being tired by day, can be sleep apnea."),
        N_("The same hours every day, no screen and no coffee late, a dark and cool room. A device that you were given"
           " helps only if it is worn all night."),
        N_("Call if you fall asleep while you drive, or if somebody sees that you stop breathing at night."),
        "sleepdisorders", ("sleep", "apnea"),
    ),
    Topic(
        "weight", N_("Weight"),
        N_("The body mass index compares weight and height. Muscle counts as weight, so it is not the whole story."),
        N_("A slow loss stays: half a pound to two pounds a week. Smaller plates, water instead of soda, and movement"
           " that you like."),
        N_("Call if you lose weight without wanting to, or if you think of food and weight all day."),
        "obesity", ("obes", "overweight"),
    ),
    Topic(
        "concussion", N_("Concussion"),
        N_("A blow or a blast shakes the brain. Headache, dizziness and forgetting can come hours later."),
        N_("Report it, also when you feel fine. Rest for a day or two, then go back step by step; no sport and no range"
           " until you are cleared."),
        N_("Call 911 if the headache grows, if you vomit again and again, have a seizure or cannot be woken."),
        "concussion", ("concussion", "traumatic"),
    ),
    Topic(
        "heat", N_("Heat"),
        N_("Who works hard in the heat can overheat within an hour, and first of all in the first two weeks there."),
        N_("Drink before you are thirsty, follow the work and rest times of the flag, and watch your buddy."),
        N_("Confused, stumbling or hot and no longer sweating: cool with water at once and call 911."),
        "heatillness", ("heat",),
    ),
    Topic(
        "tobacco", N_("Tobacco and vaping"),
        N_("Nicotine makes dependent within weeks. Lungs and heart begin to recover days after the last one."),
        N_("Choose a day, tell somebody, and use medicine against the craving: it doubles your chance. Call"
           " 1-800-784-8669 for a coach, free of charge."),
        N_("Call your care team before you stop if you take medicine for mood or seizures: its dose may change."),
        "quittingsmoking", ("tobacco", "smok", "nicotin"),
    ),
    Topic(
        "pregnancy", N_("Pregnancy"),
        N_("Forty weeks, with visits every four weeks at first and every week at the end."),
        N_("Folic acid from before the beginning, no alcohol and no tobacco, and every medicine only after asking."),
        N_("Call at once if you bleed, if the water breaks, if the child moves less, or with a bad headache and"
           " flickering sight."),
        "pregnancy", ("pregnan", "prenatal"),
    ),
    Topic(
        "fever", N_("A child with a fever"),
        N_("A fever is the body fighting. How the child drinks and plays says more than the number."),
        N_("Small sips often, light clothes, and medicine by weight, not by age. No aspirin for children."),
        N_("Call now for any fever under 3 months of age, for a stiff neck, for a rash that does not fade under a"
           " glass, or if the child drinks hardly anything."),
        "fever", ("fever",),
    ),
    Topic(
        "allergies", N_("Allergies"),
        N_("The body fights what is harmless to others: a food, a medicine, pollen, a sting."),
        N_("Keep away from what sets it off, have it in your record, and carry the epinephrine pen if you were given"
           " one: into the thigh, through clothing if need be."),
        N_("Swollen tongue, hoarse voice or trouble breathing: use the pen and call 911, also if it gets better."),
        "allergy", ("allerg", "anaphyla", "rhinitis"),
    ),
    Topic(
        "medicines", N_("Taking medicines safely"),
        N_("A medicine helps as it was meant: the right one, in the right amount, at the right time."),
        N_("Keep one list with everything, herbs and what you buy yourself too; your record has most of it. Ask what"
           " each is for, and do not stop alone."),
        N_("Too much taken, or the wrong one: call 1-800-222-1222, Poison Control, day and night."),
        "medicines",
    ),
)  # fmt: skip


def about(titles: Iterable[str]) -> tuple[Topic, ...]:
    """The topics that these conditions are about."""
    words = {word for title in titles for word in title.casefold().replace("-", "").split()}
    return tuple(one for one in TOPICS if any(word.startswith(one.about) for word in words if one.about))
