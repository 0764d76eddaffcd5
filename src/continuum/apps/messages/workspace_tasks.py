"""What was asked for because of a message: whose it is, for whom, and that it is done."""

from typing import Any

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.messages.staff_desk import HOME, StaffDesk, staff_desk
from continuum.clinical.messaging import workflows
from continuum.clinical.messaging.model import FOLLOW_UP, owner_of, team_of
from continuum.clinical.messaging.reading import pool, rows_of
from continuum.kernel.errors import Conflict, Invalid
from continuum.ui.people import Problem


async def tasks(x: Visit) -> Response:
    """One's own first, with those of whom one stands in for; then those of the teams and of others."""
    return await _page(x, await staff_desk(x))


async def _page(x: Visit, here: StaffDesk, *, problems: tuple[Problem, ...] = (), status: int = 200) -> Response:
    found, included, more = await pool(here.session, code=FOLLOW_UP)
    rows = [_row(here, row) for row in rows_of(found, included)]
    return x.page(
        "messages/tasks.html", home=HOME, own=[row for row in rows if row["own"]], more=more, problems=problems,
        others=[row for row in rows if not row["own"]], done=x.query.get("done", ""), fields=x.form, status=status,
    )  # fmt: skip


def _row(here: StaffDesk, row: dict[str, Any]) -> dict[str, Any]:
    task = row["task"]
    owner = owner_of(task)
    return {
        **row, "id": task["id"], "text": task.get("description", ""), "owner": owner, "team": team_of(task),
        "own": owner.kind == "staff" and owner.id in {here.who.account_id, *here.covers},
        "covered": owner.id in here.covers, "asked_by": task.get("requester", {}).get("display", ""),
        "asked": task["authoredOn"], "names": row["patient"].get("name", []),
        "born": row["patient"].get("birthDate", ""), "subject": row["first"].get("topic", {}).get("text", ""),
    }  # fmt: skip


async def done(x: Visit) -> Response:
    """It is done; who asked for it reads so in the conversation."""
    here = await staff_desk(x)
    note = " ".join(x.form.get("note", "").split())
    try:
        await workflows.follow_up(here.session, x.param("task_id"), here.who, here.now, note)
    except (Conflict, Invalid) as refusal:
        problems = (Problem(f"note-{x.param('task_id')}", str(refusal)),)
        return await _page(x, here, problems=problems, status=refusal.status)
    return x.go(f"{HOME}/tasks", done="done")
