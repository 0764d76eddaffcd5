"""Messages in the workspace: the lists of the teams, one conversation, tasks, answer times, times away, templates."""

from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.apps.messages import workspace_pages, workspace_tasks, workspace_thread
from continuum.apps.workspace.area import BASE
from continuum.clinical.messaging.coverage import ROLES
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
HOME = "/messages"
_ONE = f"{HOME}/{{patient_id}}/{{thread_id}}"


def _navigation(x: Visit) -> Navigation:
    if x.standing.role not in ROLES:
        return ()
    return ((gettext("Messages"), f"{BASE}{HOME}", x.request.url.path.startswith(f"{BASE}{HOME}")),)


PART = Part(
    key="messages",
    order=20,
    navigation=_navigation,
    pages=(
        (HOME, workspace_pages.lists, GET),
        (f"{HOME}/tasks", workspace_tasks.tasks, GET),
        (f"{HOME}/tasks/{{task_id}}/done", workspace_tasks.done, POST),
        (f"{HOME}/times", workspace_pages.times, GET),
        (f"{HOME}/away", workspace_pages.away, BOTH),
        (f"{HOME}/templates", workspace_pages.templates, BOTH),
        (_ONE, workspace_thread.thread, GET),
        (f"{_ONE}/claim", workspace_thread.claim, POST),
        (f"{_ONE}/begin", workspace_thread.begin, POST),
        (f"{_ONE}/answer", workspace_thread.answer, POST),
        (f"{_ONE}/triage", workspace_thread.triage, POST),
        (f"{_ONE}/hand-over", workspace_thread.hand_over, POST),
        (f"{_ONE}/close", workspace_thread.close, POST),
        (f"{_ONE}/task", workspace_thread.ask_task, POST),
        (f"{_ONE}/offer", workspace_thread.offer, POST),
        (f"{_ONE}/note", workspace_thread.chart_note, POST),
        (f"{_ONE}/file/{{file_id}}", workspace_thread.file, GET),
    ),
)
