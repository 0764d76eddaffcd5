"""What an operation is given: a Parameters resource, or for plain values the address (R4 §3.2.0.4)."""

from collections.abc import Iterable
from typing import Any

from continuum.apps.fhir_api.exchange import Exchange, as_resource
from continuum.apps.fhir_api.headers import JSON_NAMES, require_content
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS
from continuum.kernel.errors import Malformed

Json = dict[str, Any]


class Inputs:
    """An operation's parameters by name. Each reading method is asked once for every parameter that is known."""

    def __init__(self, operation: str, given: Iterable[tuple[str, str, Any]], known: Iterable[str]) -> None:
        self._operation = operation
        self._found: dict[str, list[tuple[str, Any]]] = {}
        names = list(known)
        for name, kind, value in given:
            if name not in names:
                raise Malformed(f"{name} is not a parameter of ${operation}; {', '.join(names)} are.")
            self._found.setdefault(name, []).append((kind, value))

    def resources(self, name: str) -> list[Json]:
        """The resources given under a name."""
        return [value for kind, value in self._found.get(name, ()) if kind == "resource"]

    def resource(self, name: str) -> Json:
        """The one resource under a name."""
        found = self.resources(name)
        if len(found) != 1:
            raise Malformed(f"${self._operation} needs one resource in its parameter {name}.")
        return found[0]

    def texts(self, name: str) -> list[str]:
        """The plain values under a name."""
        return [str(value) for kind, value in self._found.get(name, ()) if isinstance(value, str | int | bool)]

    def text(self, name: str, default: str = "") -> str:
        """The one plain value under a name."""
        found = self.texts(name)
        if len(found) > 1 or len(found) != len(self._found.get(name, ())):
            raise Malformed(f"${self._operation} takes one plain value in its parameter {name}.")
        return found[0] if found else default

    def flag(self, name: str) -> bool:
        """A boolean, false when it is not given."""
        text = self.text(name, "false").lower()
        if text not in ("true", "false"):
            raise Malformed(f"{name} of ${self._operation} is true or false, not {text}.")
        return text == "true"

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1, cut to `most`."""
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
            raise Malformed(f"{name} of ${self._operation} is a whole number from 1, not {text}.")
        return min(int(text), most)

    def references(self, name: str, *types: str) -> list[str]:
        """The References under a name, as `Type/id`; only to these types, if any are named."""
        found = []
        for kind, value in self._found.get(name, ()):
            text = value.get("reference") if kind == "valueReference" and isinstance(value, dict) else value
            parts = text.split("/") if isinstance(text, str) else []
            if len(parts) != 2 or not all(parts) or (types and parts[0] not in types):
                wanted = "/… or ".join(types) if types else "Type"
                raise Malformed(f"{name} of ${self._operation} is a Reference to {wanted}/….")
            found.append(f"{parts[0]}/{parts[1]}")
        return found

    def values(self, name: str, kind: str) -> list[Json]:
        """The values of one complex type under a name: `valueIdentifier`, `valueMeta`."""
        found = self._found.get(name, ())
        if any(of != kind or not isinstance(value, dict) for of, value in found):
            raise Malformed(f"{name} of ${self._operation} is given as {kind}.")
        return [value for _, value in found]


async def inputs(x: Exchange, known: Iterable[str], *, bare: str = "") -> Inputs:
    """The parameters of the operation that a request asks for.

    bare: the parameter that a body which is no Parameters resource is meant to be.

    Raises:
        Malformed: a parameter is unknown or has no single value.
    """
    operation = x.target.route.template.rpartition("$")[2]
    given: list[tuple[str, str, Any]] = [
        (name, "valueString", value) for name, value in x.params() if name not in RESULT_PARAMETERS
    ]
    if x.method == "POST":
        body = await x.resource()
        if body.get("resourceType") == "Parameters":
            given += _given(operation, body)
        elif bare:
            given.append((bare, "resource", body))
        else:
            raise Malformed(f"The body of ${operation} is a Parameters resource.")
    return Inputs(operation, given, known)


async def plain(x: Exchange) -> list[tuple[str, str]]:
    """The parameters of an operation that takes plain values only: by GET in the address, by POST in a body too.

    A body may be left out (R4 §3.2.0.4).

    Raises:
        Malformed: the body is no Parameters resource, or a parameter has no plain value.
    """
    params = list(x.params())
    if x.method != "POST":
        return params
    body = x.resource_given
    if body is None:
        text = await x.raw_body()
        if not text:
            return params
        require_content(x.header(b"content-type") or "", JSON_NAMES)
        body = as_resource(text)
    operation = x.target.route.template.rpartition("$")[2]
    if body.get("resourceType") != "Parameters":
        raise Malformed(f"The body of ${operation} is a Parameters resource.")
    for name, kind, value in _given(operation, body):
        if kind == "resource" or not isinstance(value, str | int):
            raise Malformed(f"The parameter {name} of ${operation} has no plain value.")
        params.append((name, str(value)))
    return params


def _given(operation: str, body: Json) -> list[tuple[str, str, Any]]:
    found = []
    parameters = body.get("parameter", [])
    if not isinstance(parameters, list) or not all(isinstance(one, dict) for one in parameters):
        raise Malformed(f"The parameter element of ${operation} is a list of objects.")
    for one in parameters:
        name = one.get("name")
        held = [(kind, value) for kind, value in one.items() if kind.startswith("value") or kind == "resource"]
        if not isinstance(name, str) or len(held) != 1:
            raise Malformed(f"Each parameter of ${operation} has a name and one value or resource.")
        kind, value = held[0]
        if kind == "resource" and not (isinstance(value, dict) and isinstance(value.get("resourceType"), str)):
            raise Malformed(f"The parameter {name} of ${operation} holds no resource.")
        found.append((name, kind, value))
    return found
