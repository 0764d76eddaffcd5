"""What is answered when there is no answer: a refusal, a failure, a request that took too long."""

import structlog

from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Header, Response
from continuum.apps.fhir_api.outcome import failure, outcome_bytes, refusal
from continuum.apps.fhir_api.routes import MethodNotAllowed
from continuum.kernel.errors import Busy, DomainError, Issue, NotAuthenticated
from continuum.runtime.pool import was_lost

log = structlog.get_logger("continuum.api")
_LOST = (
    "The database went away while this was done. Reading can be tried again at once; whether a change was kept is not"
    " known: look before it is sent again, or send it with If-Match or If-None-Exist."
)


def refused(error: DomainError) -> Response:
    """The answer to what was refused."""
    headers: list[Header] = [CONTENT_TYPE]
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    elif isinstance(error, NotAuthenticated):
        headers.append((b"www-authenticate", b'Bearer realm="continuum"'))
    elif isinstance(error, Busy):
        headers.append((b"retry-after", b"1"))
    return Response(error.status, refusal(error), headers)


def failed(error: Exception, request_id: str) -> Response:
    """An unexpected failure. Messages may quote data, so only the kinds and places of errors are logged."""
    places: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(places) < 5:
        trace = cause.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        places.append(f"{type(cause).__name__} at {where}")
        cause = cause.__cause__ or cause.__context__
    log.error("a request failed", request_id=request_id, causes=places)
    if was_lost(error):
        return Response(503, outcome_bytes((Issue("transient", _LOST),)), [CONTENT_TYPE, (b"retry-after", b"1")])
    return Response(500, failure(request_id), [CONTENT_TYPE])


def late() -> Response:
    """The answer to a request that ran out of time."""
    text = "The request took longer than it may; send it faster, or ask for less at once."
    return Response(408, outcome_bytes((Issue("timeout", text),)), [CONTENT_TYPE, (b"connection", b"close")])
