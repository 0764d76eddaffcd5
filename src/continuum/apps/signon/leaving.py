"""Handing on the work of somebody who leaves, in every clinical domain that has a module `leaving`."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache

import continuum.clinical
from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.chart.leaving import Colleague
from continuum.identity.accounts import Account
from continuum.identity.acts import Origin

HandOn = Callable[[Session, Colleague, Colleague, datetime], Awaitable[tuple[int, int]]]


@lru_cache(maxsize=1)
def domains() -> tuple[HandOn, ...]:
    """`handed_on` of each domain."""
    found = sorted(one.name for one in pkgutil.iter_modules(continuum.clinical.__path__) if one.ispkg)
    modules = [f"continuum.clinical.{name}.leaving" for name in found]
    return tuple(importlib.import_module(one).handed_on for one in modules if importlib.util.find_spec(one))


def _colleague(account: Account) -> Colleague:
    return Colleague(account.account_id, account.display_name, account.practitioner_id or "")


async def hand_on(access: Access, leaver: Account, heir: Account, origin: Origin) -> tuple[int, int]:
    """All of it; how many pieces have somebody new, and how many could not be given to them.

    The server does it in its own name: whoever closes accounts need not see what is in them.
    """
    actor = Actor("continuum", "system", "Continuum")
    session = access.open(
        actor, USUAL_PURPOSE["system"], source=origin.source, request_id=origin.request_id, workflow=True
    )
    now = datetime.fromtimestamp(access.clock() / 1_000_000, UTC)
    done = left = 0
    for handed_on in domains():
        here, not_here = await handed_on(session, _colleague(leaver), _colleague(heir), now)
        done, left = done + here, left + not_here
    return done, left
