"""Second factors: authenticator apps, passkeys, and recovery codes for the day on which the others are lost."""

from dataclasses import dataclass

from continuum.identity.limits import (
    FACTORS_MAX,
    LABEL_MAX_CHARS,
)
from continuum.kernel.errors import Conflict
from continuum.record.read import Connection


class TooManyFactors(Conflict):
    """The account has as many factors of a kind as it may have."""

    def __init__(self) -> None:
        super().__init__(f"You have {FACTORS_MAX} of these already; remove one that you do not use.")


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account can show besides its password; `recovery_codes` are those not used yet.

    posted_codes: recovery codes that were sent by post, and not used.
    """

    apps: int
    passkeys: int
    recovery_codes: int
    posted_codes: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a second factor."""
        return self.apps + self.passkeys > 0


async def of(conn: Connection, account_id: str) -> Factors:
    """The factors of an account."""
    row = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM identity.authenticator_app"
        "  WHERE account_id = $1 AND confirmed_us IS NOT NULL) AS apps,"
        " (SELECT count(*) FROM identity.passkey WHERE account_id = $1) AS passkeys,"
        " (SELECT count(*) FROM identity.recovery_code"
        "  WHERE account_id = $1 AND used_us IS NULL AND expires_us IS NULL) AS recovery_codes,"
        " (SELECT count(*) FROM identity.recovery_code"
        "  WHERE account_id = $1 AND used_us IS NULL AND expires_us IS NOT NULL) AS posted_codes",
        account_id,
    )
    return Factors(row["apps"], row["passkeys"], row["recovery_codes"], row["posted_codes"])


def label(text: str, otherwise: str) -> str:
    """The name of a factor as its holder wrote it, cut to what fits."""
    shown = " ".join("".join(sign for sign in text if sign.isprintable()).split())
    return shown[:LABEL_MAX_CHARS] or otherwise
