"""Words and marks that both sides of messaging show."""

from collections.abc import Mapping
from datetime import datetime

from continuum.chart.entry import N_, Mark
from continuum.clinical.messaging.threads import Thread

STATES: Mapping[str, Mark] = {
    "waiting": Mark(N_("waiting for the team"), "info"), "claimed": Mark(N_("somebody has it"), "info"),
    "working": Mark(N_("being worked on"), "info"), "answered": Mark(N_("answered"), "success"),
    "closed": Mark(N_("settled"), "success"),
}  # fmt: skip
LATE = Mark(N_("later than promised"), "warning")
EVENTS: Mapping[str, str] = {
    "sent": N_("Sent"), "asked": N_("Written on"), "claimed": N_("Taken on"), "covered": N_("Taken on in place of"),
    "working": N_("Being worked on"), "answered": N_("Answered"), "closed": N_("Settled without a letter"),
    "handed": N_("Handed over"), "triaged": N_("Sorted by urgency"), "overdue": N_("The promised time has passed"),
    "risen": N_("Given to those who stand in for the team"), "left": N_("Back to the team: nobody had it any more"),
    "team-closed": N_("Moved: the team is closed"), "found": N_("Found without somebody who owes the answer"),
    "offered": N_("An appointment is being arranged"), "noted": N_("Noted in the chart"),
    "done": N_("Done"), "tasked": N_("Somebody was asked to do something for it"),
}  # fmt: skip


def mark(thread: Thread, now: datetime) -> Mark:
    """The state of a thread in a word."""
    if not thread.task:
        return Mark("")
    return LATE if thread.late(now) else STATES[thread.state]
