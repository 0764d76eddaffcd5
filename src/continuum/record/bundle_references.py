"""References inside a transaction: to entries that have no address yet, and by criteria (R4 §3.1.0.11.2). Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from continuum.fhir.types import TYPE_IDS

_CONDITIONAL = re.compile(rb'"reference":"[A-Z][A-Za-z]*\?')
_URI_ELEMENTS = frozenset({"reference", "url", "uri", "valueUri", "valueUrl", "valueCanonical", "valueUuid"})


def _references(node: Any) -> Iterator[str]:
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            text = top.get("reference")
            if isinstance(text, str):
                yield text
            stack.extend(value for value in top.values() if isinstance(value, dict | list))
        elif isinstance(top, list):
            stack.extend(value for value in top if isinstance(value, dict | list))


def refers_by_criteria(text: bytes) -> bool:
    """Whether a resource's JSON text, as `dump` writes it, has a conditional reference."""
    return b"?" in text and _CONDITIONAL.search(text) is not None


def conditional(resource: dict[str, Any] | None) -> list[str]:
    """The conditional references (`Patient?identifier=…`) of a resource, as written."""
    if resource is None:
        return []
    return [text for text in _references(resource) if "?" in text and text.partition("?")[0] in TYPE_IDS]


def replace(resource: dict[str, Any], addresses: Mapping[str, str], targets: Mapping[str, str]) -> dict[str, Any]:
    """A copy whose references are real: `addresses` by full URL, `targets` by criteria."""

    def walk(node: Any, name: str) -> Any:
        if isinstance(node, dict):
            return {key: walk(value, key) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value, name) for value in node]
        if isinstance(node, str):
            if name in _URI_ELEMENTS:
                plain, mark, rest = node.partition("#")
                found = addresses.get(plain) or targets.get(node)
                return f"{found}{mark}{rest}" if found else node
            if name == "div" and "urn:uuid:" in node:
                for full_url, address in addresses.items():
                    node = node.replace(f'"{full_url}"', f'"{address}"')
        return node

    replaced: dict[str, Any] = walk(resource, "")
    return replaced
