"""The sign-ins of the demonstration work, are the same at every start, and differ between installations."""

import re

import pyotp
import pytest
from click.testing import CliRunner

from continuum.apps.admin.cli import main
from continuum.apps.admin.commands.demo import tell_sign_ins
from continuum.apps.admin.commands.serve import orders
from continuum.apps.admin.sign_ins import PRACTISES, SignIn, open_accounts
from continuum.apps.signon.services import SignonSettings, services
from continuum.identity import registry, standing
from continuum.identity.acts import Origin
from continuum.identity.sign_on import FactorNeeded
from continuum.kernel.limits import PASSWORD_MEMORY_MIN_MIB
from continuum.runtime.secrets import Secrets
from continuum.runtime.settings import Settings
from continuum.samples.registry import entries
from continuum.samples.world import TODAY, personas

HERE = Origin("127.0.0.1")
OTHERS = (
    "dentist", "dental-technician", "pharmacist", "laboratory", "imaging", "medic", "scheduler", "commander",
    "readiness-clerk", "population-analyst", "privacy-officer", "help-desk",
)  # fmt: skip
LEVELS = {
    "basic": (1, 1),
    "mother": (2, 2),
    "premium": (2, 2),
    "physician": (2, 2),
    "nurse": (2, 2),
    "registrar": (2, 2),
    "admin": (2, 2),
    **dict.fromkeys(OTHERS, (2, 2)),
}
ROLES = {
    "basic": "account",
    "mother": "patient",
    "premium": "patient",
    "physician": "physician",
    "nurse": "nurse",
    "registrar": "registrar",
    **{role: role for role in OTHERS},
}


def known(first):
    return Secrets(*(bytes([first + number]) * 32 for number in range(len(Secrets.__dataclass_fields__))))


async def silent(conn, act):
    """These accounts are looked at, not traced."""


@pytest.fixture
async def people(pool):
    async with pool.connection() as conn, conn.transaction():
        await registry.store(conn, list(entries((), seed=1, today=TODAY)))


async def sign_in(pool, secrets, one):
    settings = SignonSettings(
        "http://localhost", secrets.identity, secrets.token, password_memory_mib=PASSWORD_MEMORY_MIN_MIB
    )
    behind = services(pool.connection, settings, silent)
    on = behind.sign_on
    step = await on.with_password(one.name, one.password, HERE)
    if isinstance(step, FactorNeeded):
        step = await on.with_code(step.ticket, pyotp.TOTP(one.seed).now(), HERE)
    session, account = await on.resume(step.token)
    async with on.connect() as conn:
        stands = await standing.of(conn, account, session, "staff patient", on.today())
    on.hasher.close()
    return session, stands


@pytest.mark.usefixtures("people")
async def test_each_sign_in_reaches_its_level_and_its_role(pool, database):
    made = await open_accounts(database, known(1), password_memory_mib=PASSWORD_MEMORY_MIN_MIB)
    assert {one.name for one in made} == set(LEVELS)
    retiree = next(one for one in personas() if one.key == "retiree")
    for one in made:
        session, stands = await sign_in(pool, known(1), one)
        assert (session.assurance.identity, session.assurance.authenticator) == LEVELS[one.name]
        assert stands.role == ROLES.get(one.name, "administrator")
        assert (stands.practitioner_id is not None) == (one.name in PRACTISES)
        if one.name == "premium":
            assert stands.patient_id == retiree.patient_id


@pytest.mark.usefixtures("people")
@pytest.mark.requirement("V13.2.3")
async def test_a_second_start_changes_nothing_and_another_installation_has_other_passwords(pool, database):
    first, second = (
        await open_accounts(database, known(1), password_memory_mib=PASSWORD_MEMORY_MIN_MIB),
        await open_accounts(database, known(1), password_memory_mib=PASSWORD_MEMORY_MIN_MIB),
    )
    assert first == second
    async with pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM identity.account") == len(first)
    other = await open_accounts(database, known(2), password_memory_mib=PASSWORD_MEMORY_MIN_MIB)
    assert not {one.password for one in other} & {one.password for one in first}


def test_the_demonstration_says_with_what_to_sign_in_where_and_what_to_try(capsys):
    made = [SignIn(name, f"pass-{name}", f"SEED{name}", "about", role=ROLES.get(name, "")) for name in LEVELS]
    tell_sign_ins("http://localhost:8000", made)
    told = capsys.readouterr().out
    assert "http://localhost:8000/workspace\n" in told
    assert "http://localhost:8000/portal\n" in told
    ways = told.partition("Try this")[2]
    for name in LEVELS:
        assert f"pass-{name}" in told
        assert f"SEED{name}" in told
        assert re.search(rf"[ \n]{name}[ ,\n]", ways), "there is something to try for everybody"


def test_the_command_shows_the_code_of_an_app():
    seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    app = pyotp.TOTP(seed)
    before = app.now()
    done = CliRunner().invoke(main, ["code", seed])
    assert done.output.strip() in (before, app.now())
    assert CliRunner().invoke(main, ["code", "x"]).exit_code == 2


def test_workers_are_told_what_a_password_may_cost(tmp_path, test_server):
    settings = Settings.load({"CONTINUUM_PASSWORD_MEMORY_MIB": "32"}, data=str(tmp_path))
    assert orders(settings, test_server.server).password_memory_mib == 32
