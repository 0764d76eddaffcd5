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
)  # fmt: skip


def about(titles: Iterable[str]) -> tuple[Topic, ...]:
    """The topics that these conditions are about."""
    words = {word for title in titles for word in title.casefold().replace("-", "").split()}
    return tuple(one for one in TOPICS if any(word.startswith(one.about) for word in words if one.about))
