"""`continuum token`: a signed token for one role, for whoever may read this installation's secrets."""

import click

from continuum.access.actor import FACILITY_ROLES, PERSON_ROLES, PURPOSES, ROLES
from continuum.apps.admin.options import setting
from continuum.apps.fhir_api.routes import ID
from continuum.identity.provider.clients import ACR, PREMIUM_ACR
from continuum.identity.tokens import Claims, duration_s, issue, signing_key
from continuum.kernel.clock import now_us
from continuum.runtime import secrets
from continuum.runtime.settings import Settings

_NEEDS = {
    **dict.fromkeys(FACILITY_ROLES, ("facility", "--facility with the id of an Organization")),
    **dict.fromkeys(PERSON_ROLES, ("patient", "--patient with the id of a Patient")),
}


@click.command(
    "token",
    epilog="""\b
Examples:
  continuum token --as administrator
  continuum token --as physician --facility org-1 --practitioner prac-1 --expires 8h
  continuum token --as patient --patient pat-1
  continuum token --as physician --facility org-1 --level card
  curl -H "Authorization: Bearer $(continuum token --as system)" http://127.0.0.1:8000/fhir/Patient""",
)
@click.option("--as", "role", required=True, type=click.Choice(ROLES), help="The role to act in.")
@click.option("--patient", default="", help="The patient that a patient's token is for.")
@click.option("--facility", default="", help="The Organization where a member of staff works.")
@click.option("--practitioner", default="", help="The Practitioner that a member of staff is in the record.")
@click.option("--purpose", type=click.Choice(sorted(PURPOSES)), help="Why; else the role's usual purpose.")
@click.option("--level", type=click.Choice(tuple(ACR)), default=PREMIUM_ACR, show_default=True,
              help="How surely it is they: basic (1, 1), premium (2, 2) or card (CAC, PIV: 3, 3).")  # fmt: skip
@click.option("--expires", default="1h", show_default=True, help="How long it holds: 90s, 15m, 1h, 30d.")
@click.option("--subject", default="", help="Who acts, as it will stand in the trace; else the role's name.")
@setting("data")
def command(
    role: str,
    patient: str,
    facility: str,
    practitioner: str,
    purpose: str | None,
    level: str,
    expires: str,
    subject: str,
    data: str | None,
) -> None:
    """Print a bearer token.

    Whoever can read the data folder can make one; it opens the record in that role until it expires.
    """
    given = {"patient": patient, "facility": facility, "practitioner": practitioner}
    for name, value in given.items():
        if value and not ID.match(value):
            raise click.UsageError(f"--{name} {value} cannot be an id: 1 to 64 letters, digits, '-' and '.'.")
    if role in _NEEDS and not given[_NEEDS[role][0]]:
        raise click.UsageError(f"A {role}'s token needs {_NEEDS[role][1]}.")
    try:
        lifetime_s = duration_s(expires)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = Settings.load(data=data)
    claims = Claims(
        subject=subject or role,
        role=role,
        expires_s=now_us() // 1_000_000 + lifetime_s,
        facility=facility or None,
        patient=patient or None,
        practitioner=practitioner or None,
        purpose=purpose or "",
        identity_level=ACR[level].identity,
        authenticator_level=ACR[level].authenticator,
    )
    click.echo(issue(signing_key(secrets.load(settings.data).token), claims))
