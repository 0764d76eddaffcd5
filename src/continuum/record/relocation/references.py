"""References of a resource to one patient, changed to another and back. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]


def places(resource: Json, target: str) -> list[Path]:
    """Where a resource refers to `target` (`Type/id`) or one of its versions: the way to each Reference."""
    return [path for path, text in _references(resource, ()) if _speaks_of(text, target)]


def _speaks_of(text: object, target: str) -> bool:
    return isinstance(text, str) and (text == target or text.startswith(f"{target}/_history/"))


def _references(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, dict):
        text = node.get("reference")
        if isinstance(text, str):
            yield path, text
        for name, value in node.items():
            if isinstance(value, dict | list):
                yield from _references(value, (*path, name))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            if isinstance(value, dict | list):
                yield from _references(value, (*path, number))


def at(resource: Json, path: Path) -> Any:
    """What is at a place, None when nothing is."""
    node: Any = resource
    for step in path:
        if isinstance(node, dict) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def pointed(resource: Json, where: Mapping[Path, str], *, away_from: str) -> tuple[Json, int]:
    """A copy in which the references at these places say what is given, if they spoke of `away_from`; how many did."""
    wanted = {
        path: text
        for path, text in where.items()
        if isinstance(found := at(resource, path), dict) and _speaks_of(found.get("reference"), away_from)
    }

    def walk(node: Any, path: Path) -> Any:
        if isinstance(node, dict):
            copy = {name: walk(value, (*path, name)) for name, value in node.items()}
            if path in wanted:
                copy["reference"] = wanted[path]
            return copy
        if isinstance(node, list):
            return [walk(value, (*path, number)) for number, value in enumerate(node)]
        return node

    copy: Json = walk(resource, ())
    return copy, len(wanted)


def alike(one: Json, other: Json) -> bool:
    """Whether two versions say the same, but for which patients they name (and for their number and time)."""
    return bool(_nameless(one) == _nameless(other))


def _nameless(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            name: "Patient" if name == "reference" and str(value).startswith("Patient/") else _nameless(value)
            for name, value in node.items()
            if name not in ("versionId", "lastUpdated")
        }
    return [_nameless(one) for one in node] if isinstance(node, list) else node
