"""Writes down what happens at sign-on: the trace of `identity/`, sealed like every other row."""

from continuum.access.actor import Actor
from continuum.access.audit import REFUSED, SUCCESS, Auditor, Context
from continuum.identity.acts import Act, Trace
from continuum.record.read import Connection
from continuum.record.write import write_audits

ROLE = "account"
"""The role of whoever signs in: what they are is decided afterwards."""
PURPOSE = "HSYSADMIN"


def tracer(auditor: Auditor) -> Trace:
    """What `identity.SignOn` calls for each of its acts; the row is part of the act's transaction."""

    async def trace(conn: Connection, act: Act) -> None:
        context = Context(Actor(act.actor, ROLE), PURPOSE, act.origin.source, act.origin.request_id)
        row = auditor.row(
            context,
            act.name,
            outcome=REFUSED if act.refused else SUCCESS,
            query=act.detail or None,
            patients=(act.patient_id,) if act.patient_id else (),
            detail=act.detail if act.refused else None,
        )
        await write_audits(conn, [row])

    return trace
