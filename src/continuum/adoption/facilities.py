"""What pieces say of a facility, out of the record."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from continuum.access import Session
from continuum.adoption.limits import FACILITIES_SHOWN_MAX, FACILITY_NAME_MAX_CHARS
from continuum.adoption.pieces import Facility
from continuum.fhir.json import parse
from continuum.kernel.errors import Invalid, NotFound

Resource = Mapping[str, Any]


async def known(session: Session) -> list[Resource]:
    """The Organizations that care for people, by name."""
    criteria = session.parse("Organization", f"type=prov&active=true&_sort=name&_count={FACILITIES_SHOWN_MAX}")
    page = await session.search(criteria)
    return [parse(one.body) for one in page.matches if one.body is not None]


async def chosen(session: Session, wanted: str) -> Resource:
    """The facility of an id, or of a name or the beginning of one.

    Raises:
        NotFound: there is none. Invalid: there are several; the words name them.
    """
    facilities = await known(session)
    exact = [one for one in facilities if wanted in (one["id"], one.get("name"))]
    found = exact or [one for one in facilities if str(one.get("name", "")).casefold().startswith(wanted.casefold())]
    if not found:
        raise NotFound(f"There is no facility {wanted!r}. `continuum adoption facilities` lists them.")
    if len(found) > 1:
        names = ", ".join(f"{one['name']} ({one['id']})" for one in found[:5])
        raise Invalid(f"{wanted!r} fits several facilities: {names}. Give an id.")
    return found[0]


def described(organization: Resource, portal: str, day: date) -> Facility:
    """What a piece says of it. Raises Invalid: its name is longer than any piece can hold."""
    name = str(organization.get("name", ""))
    if not 0 < len(name) <= FACILITY_NAME_MAX_CHARS:
        raise Invalid(f"The name of a facility on a piece has 1 to {FACILITY_NAME_MAX_CHARS} characters.")
    address: Resource = next(iter(organization.get("address", ())), {})
    city = " ".join(part for part in (address.get("state", ""), address.get("postalCode", "")) if part)
    lines = [*address.get("line", ()), address.get("city", ""), city]
    phone = next((one["value"] for one in organization.get("telecom", ()) if one.get("system") == "phone"), "")
    return Facility(name, ", ".join(line for line in lines if line), phone, portal, day)
