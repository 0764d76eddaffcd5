"""The care teams of a facility: whom people write to, and who takes on what no other team has."""

from collections.abc import Iterator

from continuum.samples.elements import LOCAL, LOCAL_EXTENSION, SNOMED, Element, Resource, concept, reference
from continuum.samples.places import Practitioner, Site
from continuum.samples.streams import identity

_OF_SPECIALTY = {
    "family": ("Family Health Team", 2, False, 0),
    "pediatrics": ("Pediatrics Team", 2, False, 18),
    "behavioral": ("Behavioral Health Team", 3, True, 0),
    "dentist": ("Dental Team", 3, False, 0),
}
"""By specialty: name, working days until an answer, whether it asks for a typed name, for whom under which age."""
_NURSES = {"family": "nursing", "pediatrics": "nursing"}


def teams(site: Site, owner: Element) -> Iterator[Resource]:
    """The teams of a site, the one that stands in for all first."""
    yield _team(site, site.key, f"{site.name} Team", site.people, owner, [
        {"url": f"{LOCAL_EXTENSION}team-stands-in", "valueBoolean": True},
    ])  # fmt: skip
    for specialty, (name, days, signs, ages) in _OF_SPECIALTY.items():
        people = (*site.by_specialty.get(specialty, ()), *site.by_specialty.get(_NURSES.get(specialty, ""), ()))
        if specialty not in site.by_specialty:
            continue
        extensions: list[Element] = [{"url": f"{LOCAL_EXTENSION}team-answer-working-days", "valueInteger": days}]
        if signs:
            extensions.append({"url": f"{LOCAL_EXTENSION}team-asks-signature", "valueBoolean": True})
        if ages:
            extensions.append({"url": f"{LOCAL_EXTENSION}team-ages-until", "valueInteger": ages})
        yield _team(site, f"{site.key}-{specialty}", name, people, owner, extensions)


def team_id(site: Site, specialty: str = "") -> str:
    """The id of the team of a specialty, or of the one that stands in."""
    return identity("team", f"{site.key}-{specialty}" if specialty else site.key)


def _team(
    site: Site, key: str, name: str, people: tuple[Practitioner, ...], owner: Element, extensions: list[Element]
) -> Resource:  # fmt: skip
    members: list[Element] = [
        {
            "role": [concept(SNOMED, person.specialty.code, person.specialty.display)],
            "member": {"reference": person.reference},
        }
        for person in people
    ]
    return {
        "resourceType": "CareTeam",
        "id": identity("team", key),
        "extension": extensions,
        "identifier": [{"system": f"{LOCAL}care-team", "value": key}],
        "status": "active",
        "name": name,
        "participant": [*members, {"member": reference("Organization", site.organization)}],
        "managingOrganization": [owner],
    }
