"""OperationOutcome: how every refusal and failure is said (R4 §10.6)."""

from collections.abc import Sequence
from typing import Any

import orjson

from continuum.kernel.errors import DomainError, Issue


def outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """The resource that says these issues."""
    entries = []
    for issue in issues:
        entry: dict[str, Any] = {
            "severity": issue.severity,
            "code": issue.code,
            "diagnostics": _sendable(issue.text),
        }
        if issue.at:
            entry["expression"] = [_sendable(at) for at in issue.at]
        entries.append(entry)
    return {"resourceType": "OperationOutcome", "issue": entries}


def outcome_bytes(issues: Sequence[Issue]) -> bytes:
    """The JSON text that says these issues."""
    return orjson.dumps(outcome(issues))


def refusal(error: DomainError) -> bytes:
    """The JSON text of an expected refusal."""
    return outcome_bytes(error.issues)


def failure(request_id: str) -> bytes:
    """The JSON text of an unexpected failure: an id to ask about, and nothing of the inside."""
    text = f"Something went wrong here; nothing is known to be wrong with your request. Quote {request_id}."
    return outcome_bytes((Issue("exception", text, severity="fatal"),))


def information(text: str) -> bytes:
    """The JSON text of a success in words."""
    return outcome_bytes((Issue("informational", text, severity="information"),))


def _sendable(text: str) -> str:
    """Text that JSON can carry: what came in may hold lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
