"""The mark of a known browser: a signed cookie that says that somebody has signed in to an account here before.

It opens nothing. It only gives the browser a count of failed attempts of its own, which no stranger can reach.
"""

import hmac

from continuum.identity.limits import (
    BROWSER_MARK_S,
)
from continuum.identity.vault import Vault, random_token
from continuum.kernel.clock import Clock, now_us


class Marks:
    """Makes and reads marks of one installation."""

    def __init__(self, vault: Vault, *, clock: Clock = now_us) -> None:
        self._vault = vault
        self._clock = clock

    def make(self, account_id: str) -> str:
        """A mark for a browser that has just signed in to the account."""
        browser_id, until_s = random_token()[:22], self._clock() // 1_000_000 + BROWSER_MARK_S
        return f"{browser_id}.{until_s}.{self._seal(account_id, browser_id, until_s)}"

    def read(self, account_id: str, mark: str) -> str:
        """The browser's id in a mark that was made for this account and holds still; else ""."""
        browser_id, _, rest = mark.partition(".")
        until, _, seal = rest.partition(".")
        if not until.isascii() or not until.isdigit() or len(until) > 12 or not seal.isascii():
            return ""
        if int(until) <= self._clock() // 1_000_000:
            return ""
        right = hmac.compare_digest(seal, self._seal(account_id, browser_id, int(until)))
        return browser_id if right else ""

    def _seal(self, account_id: str, browser_id: str, until_s: int) -> str:
        return self._vault.digest("mark", account_id, browser_id, str(until_s)).hex()
