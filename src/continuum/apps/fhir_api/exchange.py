"""One request on its way to its answer, and the answer."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from continuum.access import Session
from continuum.apps.fhir_api import body as bodies
from continuum.apps.fhir_api.headers import (
    FHIR_JSON,
    JSON_NAMES,
    Preferences,
    preferences,
    require_content,
    require_json,
)
from continuum.apps.fhir_api.presentation import PLAIN, View, view
from continuum.apps.fhir_api.routes import Target
from continuum.apps.fhir_api.services import Services
from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError, Malformed
from continuum.kernel.limits import BODY_MAX_BYTES, SEARCH_PARAMETERS_MAX

if TYPE_CHECKING:
    from continuum.apps.fhir_api.bulk import Bulk

Header = tuple[bytes, bytes]
FORM = frozenset({"application/x-www-form-urlencoded"})
_JSON = frozenset(JSON_NAMES)
CONTENT_TYPE: Header = (b"content-type", FHIR_JSON)
_PARAMETERS_MAX = SEARCH_PARAMETERS_MAX * 4
"""Fields in one query or form; the grammar's own bound on criteria is lower and speaks plainer."""


@dataclass(slots=True)
class Response:
    """An answer. `stream` replaces `body` for what is sent in pieces.

    patience_s: how long sending it may take altogether, when that is longer than a request's time; each piece is then
    given a request's time of its own.
    """

    status: int
    body: bytes = b""
    headers: list[Header] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None
    patience_s: float = 0.0


class Exchange:
    """What a handler sees of one request.

    headers: names in lower case. base: the URL of the FHIR service that the client used, no slash at its
    end. resource_given: the body of an entry of a batch, already read. bulk: exports and imports, which an entry of a
    batch does not have.
    """

    __slots__ = (
        "_acts_before",
        "_params",
        "_receive",
        "_session",
        "base",
        "bulk",
        "headers",
        "method",
        "prefer",
        "query",
        "read_only",
        "request_id",
        "resource_given",
        "services",
        "target",
    )  # fmt: skip

    def __init__(
        self,
        *,
        session: Session,
        target: Target,
        method: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        receive: bodies.Receive,
        base: bytes,
        request_id: str,
        services: Services,
        resource_given: dict[str, Any] | None = None,
        bulk: "Bulk | None" = None,
    ) -> None:
        self._session = session
        self._receive = receive
        self._params: list[tuple[str, str]] | None = None
        self.target = target
        self.method = method
        self.query = query
        self.headers = headers
        self.base = base
        self.request_id = request_id
        self.services = services
        self.read_only = services.read_only
        self.bulk = bulk
        self.resource_given = resource_given
        self._acts_before = session.acts
        prefer = headers.get(b"prefer")
        self.prefer = _NO_PREFERENCES if prefer is None else preferences(prefer.decode("latin-1"))

    @property
    def session(self) -> Session:
        """The door. What goes through it is traced there, so a later refusal needs no trace of ours."""
        return self._session

    def header(self, name: bytes) -> str | None:
        """A header's text."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def params(self) -> list[tuple[str, str]]:
        """The query's parameters in their order."""
        if self._params is None:
            self._params = parameters(self.query) if self.query else []
        return self._params

    def view(self) -> View:
        """How the answer should look; refuses any parameter that has nothing to do with that."""
        if not self.query:
            return PLAIN
        return view(self.params(), lenient=self.prefer.lenient)

    def negotiate(self) -> None:
        """Refuses a client that cannot take JSON."""
        accept = self.headers.get(b"accept")
        if self.query and b"_format=" in self.query:
            format_ = next((value for name, value in self.params() if name == "_format"), None)
            require_json("", format_)
        elif accept is not None and accept not in _USUAL_ACCEPT:
            require_json(accept.decode("latin-1"), None)

    async def resource(self, limit: int = BODY_MAX_BYTES) -> dict[str, Any]:
        """The body as one resource.

        Raises:
            UnsupportedMedia, TooLarge, Malformed: it is of another kind, too large, or no JSON object.
        """
        if self.resource_given is not None:
            return self.resource_given
        require_content(self.header(b"content-type") or "", _JSON)
        return as_resource(await self.raw_body(limit))

    async def raw_body(self, limit: int = BODY_MAX_BYTES) -> bytes:
        """The body's bytes, decompressed."""
        return await bodies.whole(self._receive, self.headers, limit)

    def body_chunks(self, limit: int) -> AsyncIterator[bytes]:
        """The body's bytes as they arrive."""
        return bodies.chunks(self._receive, self.headers, limit)

    async def form(self) -> list[tuple[str, str]]:
        """The parameters of a `_search` form, after those of the address; a form that is left out has none."""
        if b"content-type" not in self.headers and not await self.raw_body():
            return self.params()
        require_content(self.header(b"content-type") or "", FORM)
        return [*self.params(), *parameters(await self.raw_body())]

    async def refused(self, error: DomainError, path: str) -> None:
        """Leaves the trace of a refusal that the door has not seen."""
        if self._session.acts == self._acts_before:
            await self._session.refused(self.target.route.interaction, path, error)


_NO_PREFERENCES = Preferences()
_USUAL_ACCEPT = frozenset({b"*/*", b"application/fhir+json", b"application/json"})


def parameters(text: bytes) -> list[tuple[str, str]]:
    """The fields of a query or form (`application/x-www-form-urlencoded`).

    Raises:
        Malformed: it is not UTF-8, or has too many fields.
    """
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS_MAX)
    except UnicodeDecodeError as error:
        raise Malformed("The parameters are not UTF-8 text.") from error
    except ValueError as error:
        raise Malformed(f"More than {_PARAMETERS_MAX} parameters are more than a search can have.") from error


def as_resource(text: bytes) -> dict[str, Any]:
    """One resource from its JSON text.

    Raises:
        Malformed: it is empty, no JSON, or no object with a resourceType.
    """
    if not text:
        raise Malformed("The body is empty; a resource is expected.")
    parsed = parse(text)
    if not isinstance(parsed.get("resourceType"), str):
        raise Malformed("The body has no resourceType, so it is not a FHIR resource.")
    return parsed
