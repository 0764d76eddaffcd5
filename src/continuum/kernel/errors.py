"""Expected refusals, typed. Each carries the issues of a FHIR OperationOutcome; broken invariants assert."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue: `code` of IssueType, `text` in plain words, `at` FHIRPath locations."""

    code: str
    text: str
    at: tuple[str, ...] = ()
    severity: str = "error"


class DomainError(Exception):
    """An expected refusal. `status` is the HTTP status that says the same."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "processing"

    def __init__(self, text: str, *, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__(text)
        self.issues = issues or (Issue(self.code, text),)


class Malformed(DomainError):
    """The request cannot be read: not JSON, a bad header, a wrong parameter."""

    code = "structure"


class Invalid(DomainError):
    """The resource can be read but breaks a rule of R4 or of ours."""

    status = 422
    code = "invalid"


class UnknownParameter(DomainError):
    """A search parameter that this server does not know."""

    code = "invalid"


class UnusableParameter(UnknownParameter):
    """A known parameter with a modifier or value that cannot be used: refused however lenient the request is.

    Left out, it would find others than were asked for (R4 §3.1.1.4: unsupported modifiers SHALL be rejected).
    """


class NotAuthenticated(DomainError):
    """Nobody is named by the request."""

    status = 401
    code = "login"


class Forbidden(DomainError):
    """The actor may not do this, and may know it."""

    status = 403
    code = "forbidden"


class NotFound(DomainError):
    """There is nothing here, or nothing that this actor may know of: one answer for both."""

    status = 404
    code = "not-found"


class Gone(DomainError):
    """The resource was deleted."""

    status = 410
    code = "deleted"


class NotAllowed(DomainError):
    """The interaction is not offered for this type."""

    status = 405
    code = "not-supported"


class Conflict(DomainError):
    """The request contradicts what is stored."""

    status = 409
    code = "conflict"


class PreconditionFailed(DomainError):
    """If-Match, If-None-Match or a conditional interaction does not hold."""

    status = 412
    code = "conflict"


class MultipleMatches(PreconditionFailed):
    """A conditional interaction found more than one resource."""

    code = "multiple-matches"


class TooLarge(DomainError):
    """A body, page or bundle over its named limit."""

    status = 413
    code = "too-long"


class TooCostly(DomainError):
    """A search that would read more than its named limit."""

    status = 403
    code = "too-costly"


class Busy(DomainError):
    """Too many requests wait; try again later."""

    status = 503
    code = "throttled"


class NotYetIndexed(DomainError):
    """A search parameter that is new in this release, while what was there before is still being indexed."""

    status = 503
    code = "transient"


class StorageFull(DomainError):
    """The database has no room; reads go on, writes must wait."""

    status = 507
    code = "no-store"


class ReadOnly(DomainError):
    """The server takes no writes at present."""

    status = 503
    code = "no-store"
