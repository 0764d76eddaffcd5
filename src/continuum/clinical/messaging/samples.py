"""What the sample people have asked their teams: some threads of the last weeks, answered, taken on, or waiting."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from continuum.clinical.messaging import model
from continuum.clinical.messaging.model import CATEGORIES, CATEGORY, KIND, MESSAGE, Asked, Who, referred, stamp
from continuum.clinical.messaging.promises import promise
from continuum.samples.elements import Resource
from continuum.samples.life import Life
from continuum.samples.places import Site
from continuum.samples.streams import Draw
from continuum.samples.teams import team_id

_SHARE = 0.3
_ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class _Story:
    """One thread. answer: "" while it waits. days: how long ago, from and to."""

    category: str
    subject: str
    question: str
    answer: str
    days: tuple[int, int]


_STORIES = (
    _Story("medication", "Refill", "I have ten days left of my tablets. Can they be refilled?",
           "They are refilled; you can pick them up from tomorrow noon.", (6, 30)),
    _Story("test", "My blood test", "Are the results of last week there, and do I need to do anything?",
           "They are there, and all within what is usual. Please go on as before.", (5, 25)),
    _Story("appointment", "Earlier appointment", "My knee is worse. Is there anything before next month?",
           "", (1, 2)),
    _Story("general", "Running again", "The ankle no longer hurts. From when may I run again?", "", (0, 1)),
    _Story("administration", "Certificate for sports", "My unit asks for a certificate. What do you need from me?",
           "", (0, 1)),
)  # fmt: skip
_CHILDRENS = (
    _Story("general", "Fever since yesterday", "38.4 °C in the evening, drinks well. What should we watch for?",
           "Fluids and rest. Come in if it lasts beyond three days, or at once if drinking stops.", (4, 20)),
    _Story("education", "Sleeping through", "Is it usual to wake up twice a night at this age?", "", (0, 1)),
)  # fmt: skip


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """The threads of one person: the first message, its answer, and the work on it."""
    if life.person.died is not None or draw.rng.random() > _SHARE:
        return
    child = life.person.age(life.today) < _ADULT_YEARS
    site = life.world.care(life.family.base(life.today))
    story = draw.rng.choice(_CHILDRENS if child else _STORIES)
    team, name = _team(site, child=child)
    yield from _thread(life, draw, story, site, f"CareTeam/{team}", name)


def _team(site: Site, *, child: bool) -> tuple[str, str]:
    for specialty, name in (("pediatrics", "Pediatrics Team"), ("family", "Family Health Team")):
        if specialty in site.by_specialty and (child or specialty != "pediatrics"):
            return team_id(site, specialty), name
    return team_id(site), f"{site.name} Team"


def _thread(life: Life, draw: Draw, story: _Story, site: Site, to: str, name: str) -> Iterator[Resource]:
    day: date = life.today - timedelta(days=draw.rng.randint(*story.days))
    sent = datetime.combine(day, time(8, draw.rng.randint(0, 59)), site.zone).astimezone(UTC)
    first, patient = draw.id(), life.person
    sender = {"reference": f"Patient/{patient.id}", "display": patient.name}
    if patient.age(life.today) < _ADULT_YEARS:
        parent = life.family.spouse or life.family.sponsor
        sender = {**Who(f"sample-{parent.dod_id}", parent.name).reference, "type": "RelatedPerson"}
    category = [
        {"coding": [{"system": KIND, "code": MESSAGE}], "text": "Secure message"},
        {"coding": [{"system": CATEGORY, "code": story.category}], "text": CATEGORIES[story.category]},
    ]
    common: Resource = {"resourceType": "Communication", "status": "completed", "category": category,
                        "subject": life.subject}  # fmt: skip
    yield {
        **common, "id": first, "topic": {"text": story.subject}, "sent": stamp(sent), "sender": sender,
        "recipient": [referred(to, name)], "payload": [{"contentString": story.question}],
    }  # fmt: skip
    asked = Asked(
        f"Communication/{first}", patient.id, to, name, promise(sent, site.zone, 2), facility_id=site.organization
    )
    work = model.opened(asked, sent, str(sender["display"]))
    clinician = site.one_of("nursing", draw.rng.randint(0, 9))
    by = Who(f"sample-{clinician.npi}", f"{clinician.given} {clinician.family_name}")
    if story.answer:
        later = sent + timedelta(hours=draw.rng.randint(2, 30))
        yield {
            **common, "id": draw.id(), "sent": stamp(later), "partOf": [{"reference": f"Communication/{first}"}],
            "inResponseTo": [{"reference": f"Communication/{first}"}],
            "sender": {"reference": clinician.reference, "display": by.name}, "recipient": [life.subject],
            "payload": [{"contentString": story.answer}],
        }  # fmt: skip
        work = model.answered(model.claimed(work, by, sent + timedelta(hours=1)), by, later)
    yield {**work, "id": draw.id()}
