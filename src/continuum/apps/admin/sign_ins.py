"""Accounts for the demonstration: one for each role and level, with passwords that only this installation knows."""

import base64
import hmac
from dataclasses import dataclass

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.apps.admin.demonstration import somebody
from continuum.apps.signon.services import SignonServices, SignonSettings, services
from continuum.identity import accounts, registry, staff
from continuum.kernel.clock import now_us
from continuum.record.read import Connection
from continuum.runtime.pool import Pool
from continuum.runtime.secrets import Secrets
from continuum.samples.places import world
from continuum.samples.registry import person_id
from continuum.samples.world import personas

OTHERS = {
    "dentist": "dentist: the whole chart of who is treated",
    "dental-technician": "dental technician: what a dentist's orders need",
    "pharmacist": "pharmacist: medicines and what bears on them",
    "laboratory": "laboratory: orders addressed to it, and their results",
    "imaging": "imaging: orders addressed to it, and why",
    "medic": "medic",
    "scheduler": "scheduler: calendars and appointments, no diagnoses",
    "commander": "commander: who is ready, nothing else",
    "readiness-clerk": "readiness clerk: vaccines and dates",
    "population-analyst": "population analyst: records without names",
    "privacy-officer": "privacy officer: the trail, and who broke the glass",
    "help-desk": "help desk: how accounts stand, codes by post; no records",
}
"""Every other role of staff, with what it sees."""
PRACTISES = {"physician": "family", "nurse": "nursing", "laboratory": "laboratory"}
"""Roles whose holder is a Practitioner of the facility, by the specialty."""
_PASSWORD_CHARS, _SEED_BYTES = 20, 20


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who can sign in. seed: of the authenticator app in base32, "" without one."""

    name: str
    password: str
    seed: str
    about: str
    role: str = ""
    persona: str = ""
    everywhere: bool = False


async def open_accounts(dsn: str, known: Secrets, *, password_memory_mib: int) -> tuple[SignIn, ...]:
    """Opens those that are not there yet; the same sign-ins at every start. dsn: as the application's role."""
    made = tuple(_sign_ins(known))
    async with Pool.open(dsn, size=2) as pool:
        behind = services(
            pool.connection,
            SignonSettings("http://localhost", known.identity, known.token, password_memory_mib=password_memory_mib),
            tracer(Auditor(known.audit, pool.connection, now_us)),
        )
        try:
            for one in made:
                await _open(behind, one)
        finally:
            behind.sign_on.hasher.close()
    return made


def _sign_ins(known: Secrets) -> list[SignIn]:
    def secret(name: str, use: str) -> bytes:
        return hmac.digest(known.identity, f"demonstration {use} {name}".encode(), "sha256")

    def make(name: str, about: str, *, factor: bool = True, **more: str | bool) -> SignIn:
        password = base64.b32encode(secret(name, "password")).decode().lower()[:_PASSWORD_CHARS]
        shown = "-".join(password[at : at + 5] for at in range(0, _PASSWORD_CHARS, 5))
        seed = base64.b32encode(secret(name, "seed")[:_SEED_BYTES]).decode() if factor else ""
        return SignIn(name, shown, seed, about, **more)  # type: ignore[arg-type]  # fields of the same names

    names = {one.key: one.name for one in personas()}
    return [
        make("basic", f"{names['reservist']}, Basic: no record before Premium", factor=False, persona="reservist"),
        make("mother", f"{names['mother']}, Premium: a toddler and a teenager", persona="mother"),
        make("premium", f"{names['retiree']}, Premium: the own record", persona="retiree"),
        make("physician", f"physician where {names['retiree']} is cared for", role="physician"),
        make("nurse", f"nurse where {names['retiree']} is cared for", role="nurse"),
        make("registrar", "registration desk: proofs people, prints letters", role=staff.REGISTRAR),
        make("admin", "administrator: staff and roles", role=staff.ADMINISTRATOR, everywhere=True),
        *(make(role, about, role=role, everywhere=role in staff.EVERYWHERE) for role, about in OTHERS.items()),
    ]


async def _open(behind: SignonServices, one: SignIn) -> None:
    on = behind.sign_on
    async with on.connect() as conn:
        if await accounts.by_name(conn, one.name) is not None:
            return
    hashed = await on.hasher.hash(one.password)
    async with on.connect() as conn, conn.transaction():
        name, person = await _person(conn, one)
        account = await accounts.create(
            conn, sign_in_name=one.name, display_name=name, password_hash=hashed, now=on.clock(), person_id=person
        )
        if one.seed:
            await accounts.raise_identity_level(conn, account.account_id, 2)
            await on.apps.put(conn, account.account_id, one.seed, name="Demonstration")
        if one.role in PRACTISES:
            await accounts.set_practitioner(conn, account.account_id, _practitioner(one.role))
        if one.role:
            await staff.grant(
                conn, account.account_id, one.role, facility_id=None if one.everywhere else somebody().facility_id,
                starts=on.today(), ends=None, by_account=None, now=on.clock(),
            )  # fmt: skip


def _practitioner(role: str) -> str:
    site = next(one for one in world().sites.values() if one.organization == somebody().facility_id)
    return site.one_of(PRACTISES[role], 0).id


async def _person(conn: Connection, one: SignIn) -> tuple[str, str | None]:
    """The name, and the id in the registry of somebody with a story who has no account yet."""
    found = next((persona for persona in personas() if persona.key == one.persona), None)
    if found is None:
        return f"Demo {one.name}", None
    person = next(member for member in found.family.members if member.id == found.patient_id)
    entry = await registry.get(conn, person_id(person))
    taken = entry is not None and await accounts.by_person(conn, entry.person.person_id) is not None
    return found.name, entry.person.person_id if entry is not None and not taken else None
