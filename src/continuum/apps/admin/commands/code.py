"""`continuum code`: what an authenticator app would show."""

import click
import pyotp


@click.command(
    "code",
    epilog="""\b
Examples:
  continuum code JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP""",
)
@click.argument("key")
def command(key: str) -> None:
    """Print the present code of an authenticator app's KEY (base32), for the demonstration and for scripts.

    A code is taken once; the next one comes within 30 seconds.
    """
    try:
        click.echo(pyotp.TOTP(key.replace(" ", "")).now())
    except ValueError as error:
        raise click.UsageError(
            "This is no key of an authenticator app: 26 or more of the letters A to Z and digits 2 to 7."
        ) from error
