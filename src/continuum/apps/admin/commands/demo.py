"""`continuum demo`: everything set up and running, with sample people to look at."""

import shlex
import sys
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from continuum.apps.admin.commands.serve import address, pages_origin, serving
from continuum.apps.admin.demonstration import load_once, somebody
from continuum.apps.admin.importing.work import Target
from continuum.apps.admin.mail_catcher import catching
from continuum.apps.admin.sign_ins import OTHERS, SignIn, open_accounts
from continuum.apps.fhir_api.orders import listen, run
from continuum.identity.sessions import BASIC, CARD, Assurance
from continuum.identity.tokens import Claims, duration_s, issue, signing_key
from continuum.kernel.clock import now_us
from continuum.runtime import secrets
from continuum.runtime.postgres import Server
from continuum.runtime.settings import Settings
from continuum.samples.world import personas

LIFETIME = "12h"
"""How long the tokens hold that the demo prints."""


@click.command("demo")
@click.option("--port", type=int, help="The port to listen on.")
@click.option("--data", help="The folder of this installation.")
def command(port: int | None, data: str | None) -> None:
    """Start a server with sample families, and say what to open and try.

    The first run makes the database and loads the people; later runs start at once and keep what was changed.
    All people are synthetic.

    \b
    Examples:
      continuum demo
      continuum demo --port 9000 --data /tmp/continuum-demo
    """  # noqa: D301  click's mark for a block that keeps its lines
    given: dict[str, Any] = {"port": port, "data": data}
    settings = Settings.load(**given)
    with ExitStack() as stack:
        listening = stack.enter_context(listen(settings.host, settings.port))
        if not settings.smtp_url:
            settings = replace(settings, smtp_url=stack.enter_context(catching(settings.data / "mail")))

        async def prepare(server: Server) -> None:
            known = secrets.load(settings.data)
            await load_once(Target(server.app.connect, server.owner.connect, known.record, known.audit))
            made = await open_accounts(server.app.dsn, known, password_memory_mib=settings.password_memory_mib)
            _tell(settings, address(listening))
            tell_sign_ins(pages_origin(settings, listening), made)

        run(serving(settings, listening, prepare=prepare))


def tell_sign_ins(origin: str, made: Sequence[SignIn]) -> None:
    """Prints who can sign in on the pages, with what, where, and what to try there."""
    click.echo(f"""Pages (by this name of the machine, so that passkeys work):

  Workspace, for staff    {origin}/workspace
  Portal, for people      {origin}/portal
  Accounts                {origin}/signon/

  {"name":<18} {"password":<24} {"key for the second step":<33} who
""")
    for one in made:
        click.echo(f"  {one.name:<18} {one.password:<24} {one.seed or '-':<33} {one.about}")
    others = textwrap.fill(", ".join(one.name for one in made if one.role in OTHERS), 96, subsequent_indent="  ")
    click.echo(f"""
`{_program()} code KEY` shows the present code of a key. Try this, each in a window of its own:

  physician  {origin}/workspace: look for "obrian robert", misspelt as it is; read the summary; begin a
             note, leave it and come back to it
  nurse      the same chart: record vital signs, with a heart rate of 700 first; answer what patients
             ask to correct at {origin}/workspace/corrections
  premium    {origin}/portal: read one's own record of many years, ask for a correction, take it along
  mother     {origin}/portal/family: a toddler, and a teenager of whose record some stays closed
  basic      {origin}/portal: be shown the way to Premium; no record opens before
  registrar  {origin}/signon/clerk/proof: make basic Premium, with two documents
             then {origin}/workspace/moves: a family moves to Camp Torrey Pass
  admin      {origin}/signon/staff: give and take roles; {origin}/workspace/waves: when which
             facility goes live, and whether it is ready
  {others}
             each sees as much of the same chart at {origin}/workspace as the work needs
""")


def _program() -> str:
    """This command as it was called: in a clone it is not on the path."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "continuum" else "continuum"


def _at(level: Assurance, claims: Claims) -> Claims:
    return replace(claims, identity_level=level.identity, authenticator_level=level.authenticator)


def _tell(settings: Settings, base: str) -> None:
    """Prints the addresses, the sign-ins and a command that works as it stands."""
    person = somebody()
    beginning = person.name.rsplit(" ", 1)[-1][:3].lower()
    key = signing_key(secrets.load(settings.data).token)
    until_s = now_us() // 1_000_000 + duration_s(LIFETIME)
    tokens = {
        "administrator": issue(key, Claims("demo-administrator", "administrator", until_s)),
        "clinician": issue(key, Claims("demo-clinician", "clinician", until_s, facility=person.facility_id)),
        "patient": issue(key, Claims("demo-patient", "patient", until_s, patient=person.patient_id)),
        "basic": issue(key, _at(BASIC, Claims("demo-basic", "patient", until_s, patient=person.patient_id))),
        "card": issue(key, _at(CARD, Claims("demo-card", "physician", until_s, facility=person.facility_id))),
    }
    click.echo(f"""
Continuum is ready. All people in it are synthetic.

  Start page          {base}/
  FHIR                {base}/fhir
  API documentation   {base}/docs

Tokens for {LIFETIME} (a clinician of the facility of {person.name}, and {person.name}), at level
Premium; then {person.name} at level Basic, to whom no record opens, and a physician with a card (CAC):
""")
    for role, token in tokens.items():
        click.echo(f"  {role.upper()}={token}")
    asking = f"{_program()} token --as patient --patient ID --data {shlex.quote(str(settings.data))}"
    click.echo(f"\nPeople with a story (token: {asking}):\n")
    for one in personas():
        click.echo(f"  {one.name:<17} {one.patient_id}  {one.about}")
    click.echo(f"""
Try this: patients whose name begins with "{beginning}", as that clinician

  curl -H "Authorization: Bearer {tokens["clinician"]}" \\
    "{base}/fhir/Patient?name={beginning}&_count=5&_pretty=true"

and {person.name}'s own blood pressures, newest first

  curl -H "Authorization: Bearer {tokens["patient"]}" \\
    "{base}/fhir/Observation?patient={person.patient_id}&code=85354-9&_sort=-date&_count=3&_pretty=true"

Ctrl-C stops everything and keeps the data in {settings.data}.
""")
