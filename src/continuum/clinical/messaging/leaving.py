"""What becomes of the messages and tasks of somebody who leaves: whoever takes over owes the answers from now on."""

from datetime import datetime

from continuum.access import Session
from continuum.chart.leaving import Colleague, hand_on
from continuum.clinical.messaging import model
from continuum.clinical.messaging.model import ACCOUNT, ANSWER, WORK, Event, Resource, Who
from continuum.clinical.messaging.reading import OPEN_STATUSES, token


async def handed_on(session: Session, leaver: Colleague, heir: Colleague, now: datetime) -> tuple[int, int]:
    """Open messages and tasks go to the heir; how many, and how many could not."""
    to = Who(heir.account_id, heir.name)
    answers = f"{WORK}|{ANSWER}"

    def change(task: Resource) -> Resource:
        codes = {f"{one.get('system')}|{one.get('code')}" for one in task.get("code", {}).get("coding", ())}
        if answers in codes:
            return model.to_person(task, to, Event("handed", now, leaver.name, heir.name))
        return {**task, "owner": to.reference, "lastModified": model.stamp(now)}

    mine = f"owner:identifier={token(ACCOUNT, leaver.account_id)}&status={OPEN_STATUSES}"
    return await hand_on(session, "Task", mine, change)
