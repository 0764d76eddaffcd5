"""The access policy a second time: plain Python over dictionaries, without SQL, Cedar or any code of the product.

It says of a user and a resource of a world (worlds.py) whether the resource is shown, and which parts of it.
"""

from datetime import datetime, timedelta

BITS = {"R": 1, "V": 2, "ETH": 4, "PSY": 8, "SEX": 16, "HIV": 32, "VIP": 64}
PART2_LIKE = BITS["ETH"] | BITS["V"]
TREATMENT_OPENS = BITS["R"] | BITS["PSY"] | BITS["SEX"] | BITS["HIV"] | BITS["VIP"]
ORDER_OPENS = BITS["R"] | BITS["HIV"] | BITS["SEX"]
EVERY = 127

DIRECTORY = {"Organization", "Practitioner"}
OUTSIDE_RECORDS = {"Device"}
TREATING = {"physician", "nurse", "medic", "dentist"}
RESCUING = TREATING | {"pharmacist"}
SEEN_AT_FACILITY = {
    "dental-technician": {"Patient", "Encounter", "CareTeam", "Appointment", "ServiceRequest", "Observation",
                          "Condition"},
    "pharmacist": {"Patient", "Encounter", "CareTeam", "MedicationRequest", "ServiceRequest", "Observation",
                   "Condition", "Immunization"},
    "registrar": {"Patient", "RelatedPerson", "Encounter", "CareTeam", "Appointment", "Coverage", "Consent"},
    "scheduler": {"Patient", "Encounter", "CareTeam", "Appointment"},
    "commander": {"Patient", "Immunization"},
    "readiness-clerk": {"Patient", "Immunization"},
}  # fmt: skip
SEEN_BY_ORDER = {
    "laboratory": {"Patient", "ServiceRequest", "Observation"},
    "imaging": {"Patient", "ServiceRequest", "Observation", "Condition"},
    "pharmacist": SEEN_AT_FACILITY["pharmacist"],
}
ANALYST_NEVER = {"Consent", "RelatedPerson", "Communication"}

FREE_TEXT = {"note", "text", "comment", "description", "contained", "extension", "patientInstruction"}
HIDDEN = {
    "population-analyst": lambda kind: (
        {"name", "telecom", "birthDate", "address", "identifier", "text", "photo", "contact"}
        if kind == "Patient" else FREE_TEXT
    ),
    "scheduler": lambda kind: (
        set() if kind == "Patient"
        else FREE_TEXT - ({"extension"} if kind == "Appointment" else set())
        | {"reasonCode", "reasonReference", "diagnosis"}
    ),
    "commander": lambda kind: (
        {"address", "contact", "text", "photo"} if kind == "Patient" else FREE_TEXT | {"reasonCode", "performer"}
    ),
}  # fmt: skip
HIDDEN["readiness-clerk"] = HIDDEN["commander"]


def labels(resource) -> int:
    found = 0
    for coding in resource.get("meta", {}).get("security", ()):
        found |= BITS.get(coding.get("code"), 0)
    return found


def patient_of(resource) -> str | None:
    if resource["resourceType"] == "Patient":
        return resource["id"]
    for name in ("subject", "patient", "beneficiary", "for"):
        if name in resource:
            return resource[name]["reference"].partition("/")[2]
    for one in resource.get("participant", ()):
        if one.get("actor", {}).get("reference", "").startswith("Patient/"):
            return one["actor"]["reference"].partition("/")[2]
    return None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Oracle:
    """The policy over one world."""

    def __init__(self, world):
        self.world = world
        self.now = world.now + timedelta(minutes=1)
        self.mine: dict[str, list] = {}
        for resource in world.resources:
            self.mine.setdefault(patient_of(resource) or "", []).append(resource)

    def sees(self, user, resource) -> bool:
        """Whether this user is shown that there is this resource."""
        kind = resource["resourceType"]
        if kind in DIRECTORY:
            return True
        if min(user.levels) < 2:
            return False
        if user.role == "system":
            return True
        if kind in OUTSIDE_RECORDS:
            return False
        patient, bits = patient_of(resource), labels(resource)
        if user.role == "population-analyst":
            return kind not in ANALYST_NEVER and not bits
        if user.role == "patient":
            return user.patient == patient
        if user.role == "proxy":
            return self.granted(user, patient, bits)
        if user.purpose == "ETREAT" and patient in user.emergency and user.role in RESCUING:
            return True
        return self.at_work(user, kind, patient, bits)

    def at_work(self, user, kind, patient, bits) -> bool:
        """What somebody sees for their work, by one of the ways to a patient."""
        if user.role in TREATING:
            if self.granted(user, patient, bits):
                return True
            if self.refused(user, patient, bits):
                return False
            if not bits and not self.shielded(patient) and self.cared_for(user, patient):
                return True
            return not bits & ~TREATMENT_OPENS and self.treats(user, patient)
        if self.refused(user, patient, bits):
            return False
        if kind in SEEN_AT_FACILITY.get(user.role, ()) and self.cared_for(user, patient):
            if user.role == "registrar":
                if not bits & ~BITS["VIP"]:
                    return True
            elif not bits and not self.shielded(patient):
                return True
        if kind in SEEN_BY_ORDER.get(user.role, ()) and self.addressed(user, patient):
            opens = 0 if user.role == "pharmacist" or kind == "Condition" else ORDER_OPENS
            return not bits & ~opens and not self.shielded(patient)
        return False

    def matches(self, user) -> bool:
        """Whether this user may ask who could be the same person."""
        return min(user.levels) >= 2 and user.role in TREATING | {"registrar", "system"}

    def hidden(self, user, kind: str) -> set[str]:
        """The elements of a type that this user is never shown."""
        return HIDDEN[user.role](kind) if user.role in HIDDEN and kind not in DIRECTORY else set()

    def shielded(self, patient) -> bool:
        person = next(one for one in self.mine[patient] if one["resourceType"] == "Patient")
        return bool(labels(person) & BITS["VIP"])

    def cared_for(self, user, patient) -> bool:
        place = f"Organization/{user.facility}"
        for one in self.mine[patient]:
            if one["resourceType"] == "Patient" and one["managingOrganization"]["reference"] == place:
                return True
            seen = one["resourceType"] == "Encounter" and one["status"] != "cancelled"
            if seen and one["serviceProvider"]["reference"] == place and self.established(one["period"].get("end")):
                return True
        return False

    def established(self, end) -> bool:
        """Whether who was seen until then is still known where it was."""
        return self.holds(None, end, after=1096, open_days=1096)

    def holds(self, start, end, *, before=0, after=0, open_days=365) -> bool:
        begins = instant(start) - timedelta(days=before) if start else None
        ends = instant(end) + timedelta(days=after) if end else self.world.now + timedelta(days=open_days)
        return (begins is None or begins <= self.now) and self.now < ends

    def treats(self, user, patient) -> bool:
        me = f"Practitioner/{user.practitioner}"
        for one in self.mine[patient]:
            kind, period = one["resourceType"], one.get("period", {})
            takes_part = [
                part for part in one.get("participant", ())
                if me in (part.get(name, {}).get("reference") for name in ("individual", "actor", "member"))
            ]  # fmt: skip
            if not user.practitioner or not takes_part:
                continue
            if kind == "Encounter" and one["status"] != "cancelled":
                if self.holds(period.get("start"), period.get("end"), after=30):
                    return True
            elif kind == "Appointment" and one["status"] != "cancelled":
                if any(part["status"] != "declined" for part in takes_part) and self.holds(
                    one["start"], one["end"], before=30, after=30
                ):
                    return True
            elif (
                kind == "CareTeam" and one["status"] == "active" and self.holds(period.get("start"), period.get("end"))
            ):
                return True
        return False

    def addressed(self, user, patient) -> bool:
        me = {f"Practitioner/{user.practitioner}", f"Organization/{user.facility}"}
        for one in self.mine[patient]:
            if one["resourceType"] not in ("ServiceRequest", "MedicationRequest") or one["status"] == "revoked":
                continue
            performers = [*one.get("performer", ()), one.get("dispenseRequest", {}).get("performer", {})]
            if me & {who.get("reference") for who in performers}:
                ends = one.get("occurrencePeriod", {}).get("end")
                if self.holds(None, ends, after=30, open_days=30 if one["status"] == "completed" else 365):
                    return True
        return False

    def consents(self, patient, kind):
        """The provisions of a patient's active consents of one kind, with what they say about labels."""
        for one in self.mine.get(patient, ()):
            if one["resourceType"] != "Consent" or one["status"] != "active" or one["provision"]["type"] != kind:
                continue
            provision, period = one["provision"], one["provision"].get("period", {})
            if period and not instant(period["start"]) <= self.now < instant(period["end"]):
                continue
            covered = 0
            for coding in provision.get("securityLabel", ()):
                covered |= BITS[coding["code"]]
            yield {actor["reference"]["reference"] for actor in provision["actor"]}, covered, "purpose" in provision

    def names(self, user) -> set[str]:
        return {
            f"{kind}/{name}"
            for kind, name in (
                ("Practitioner", user.practitioner),
                ("Organization", user.facility),
                ("Patient", user.patient),
            )
            if name
        }

    def granted(self, user, patient, bits) -> bool:
        return any(
            actors & self.names(user) and not narrowed and not bits & ~covered
            for actors, covered, narrowed in self.consents(patient, "permit")
        )

    def refused(self, user, patient, bits) -> bool:
        """Whoever has no name in the record heeds every refusal: any could mean them."""
        return any(
            (actors & self.names(user) or not user.practitioner) and (not covered or covered & bits)
            for actors, covered, _ in self.consents(patient, "deny")
        )
