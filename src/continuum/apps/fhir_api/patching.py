"""JSON Patch (RFC 6902) as PATCH takes it (R4 §3.1.0.6)."""

import base64
import binascii
import copy
from collections.abc import Callable
from typing import Any

import jsonpatch
import jsonpointer

from continuum.apps.fhir_api.headers import JSON_PATCH, UnsupportedMedia
from continuum.fhir.json import parse_value
from continuum.kernel.errors import Invalid, Issue, Malformed
from continuum.kernel.limits import PATCH_COPIED_MAX, PATCH_OPERATIONS_MAX

_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})


def compiled(document: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that a patch document describes; it leaves its argument as it is.

    Raises:
        Malformed: the document is no JSON Patch. What cannot be done to a given resource is said by the
            function, as Invalid.
    """
    operations = _checked(document)

    def apply(resource: dict[str, Any]) -> dict[str, Any]:
        present: Any = copy.deepcopy(resource)
        copied = 0
        for number, operation in enumerate(operations):
            if operation["op"] == "copy":
                copied += _size(present, operation["from"])
                if copied > PATCH_COPIED_MAX:
                    raise Invalid(f"The patch copies more than {PATCH_COPIED_MAX} elements.")
            present = _step(present, operation, number)
        if not isinstance(present, dict):
            raise Invalid("The patch leaves no resource: its result is not a JSON object.")
        return present

    return apply


def from_binary(resource: dict[str, Any]) -> Any:
    """The patch document of a batch or transaction entry: a Binary that holds it (R4 §3.1.0.11)."""
    if resource.get("resourceType") == "Parameters":
        raise UnsupportedMedia("FHIRPath Patch is not offered; send JSON Patch in a Binary.")
    kind = str(resource.get("contentType", "")).partition(";")[0].strip()
    if resource.get("resourceType") != "Binary" or kind != JSON_PATCH:
        raise Malformed(f"A PATCH entry carries a Binary of contentType {JSON_PATCH}.")
    try:
        text = base64.b64decode(str(resource.get("data", "")), validate=True)
    except binascii.Error as error:
        raise Malformed("The data of the PATCH entry's Binary is not base64.") from error
    return parse_value(text)


def _checked(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, list):
        raise Malformed("A JSON Patch is an array of operations.")
    if len(document) > PATCH_OPERATIONS_MAX:
        raise Malformed(f"A patch may have {PATCH_OPERATIONS_MAX} operations; this one has {len(document)}.")
    for number, operation in enumerate(document):
        where = f"Patch operation {number + 1}"
        if not isinstance(operation, dict):
            raise Malformed(f"{where} is not a JSON object.")
        name = operation.get("op")
        if not isinstance(name, str) or name not in _OPERATIONS:
            raise Malformed(f"{where}: op must be add, remove, replace, move, copy or test, not {name!r}.")
        _pointer(operation, "path", where)
        if name in ("move", "copy"):
            _pointer(operation, "from", where)
        if name in ("add", "replace", "test") and "value" not in operation:
            raise Malformed(f"{where} ({name}) has no value.")
    return document


def _pointer(operation: dict[str, Any], name: str, where: str) -> None:
    text = operation.get(name)
    if not isinstance(text, str):
        raise Malformed(f"{where} has no {name}.")
    try:
        jsonpointer.JsonPointer(text)
    except jsonpointer.JsonPointerException as error:
        raise Malformed(f"{where}: {name} {text!r} is no JSON Pointer; it begins with '/'.") from error


def _size(resource: Any, pointer: str) -> int:
    """How many values a copy would add; copies of copies double, so they are counted before they are made."""
    try:
        stack = [jsonpointer.JsonPointer(pointer).resolve(resource)]
    except jsonpointer.JsonPointerException:
        return 0
    count = 0
    while stack:
        count += 1
        top = stack.pop()
        if isinstance(top, dict):
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
    return count


def _step(resource: Any, operation: dict[str, Any], number: int) -> Any:
    name, path = operation["op"], operation["path"]
    where = f"Patch operation {number + 1} ({name} {path})"
    try:
        return jsonpatch.JsonPatch([operation]).apply(resource, in_place=True)
    except jsonpatch.JsonPatchTestFailed as error:
        raise _refused(f"{where}: the test does not hold, so nothing was changed.", path) from error
    except (
        jsonpatch.JsonPatchException,
        jsonpointer.JsonPointerException,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ) as error:
        raise _refused(f"{where}: there is no such place in the resource.", path) from error


def _refused(text: str, path: str) -> Invalid:
    return Invalid(text, issues=(Issue("processing", text, (_fhirpath(path),) if path else ()),))


def _fhirpath(pointer: str) -> str:
    """A JSON Pointer as a FHIRPath location: `/name/0/given` is `name[0].given`."""
    location = ""
    for part in jsonpointer.JsonPointer(pointer).parts:
        location += f"[{part}]" if part.isdigit() else f".{part}" if location else part
    return location
