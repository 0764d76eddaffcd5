"""The Cedar policies, and what they answer for one kind of session. Nothing here knows a patient or a resource.

Policies lie in `policies/*.cedar` of whatever part of the product owns their concern; the schema lies here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import product
from typing import Any

import orjson
from cedarpy import AuthzResult, Decision, Entities, PolicySet, is_authorized_batch

from continuum.access.actor import MEMBERSHIPS
from continuum.access.classes import ELEMENT_GROUPS, GROUPS, TYPES_OF
from continuum.access.limits import SHAPES_CACHED_MAX

RELATIONS = ("all", "nobody", "own", "facility", "treatment", "order", "granted", "emergency", "owned")
"""How somebody may have to do with the patient of a resource, or with the resource; a row can have several.

nobody: the resource has no patient."""

LABELS: Mapping[str, int] = {
    "restricted": 1,
    "veryRestricted": 2,
    "part2": 4,
    "behavioural": 8,
    "sexual": 16,
    "hiv": 32,
    "vip": 64,
}
"""The sensitivity labels by their bit in the record (record/entry.py)."""
UNLABELLED = "none"
ALL_LABELS = sum(LABELS.values())
CHART_ACTS = ("match", "correct", "merge", "unmerge")
"""What of access/charts.py can be open."""
POLICY_PARTS = ("access", "identity")
"""The parts of the product below which policies are looked for; `clinical` and `programs` join when they are there."""


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a session that policies ask: there are few kinds of it, and what is decided for one is kept."""

    role: str
    purpose: str
    identity_level: int
    authenticator_level: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What one relation opens of a class: rows with none of the labels in `label_mask`."""

    relation: str
    label_mask: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What policies say to one kind of session: whether it may act at all and, by class, what it sees and writes.

    says: the classes of which a patient may write what is the patient's own word. arranges: the relations through
    which workflows of the product may write a class, where its requests may not: `own` and `all`.
    """

    opens: bool
    sees: Mapping[str, tuple[Opened, ...]]
    writes: Mapping[str, tuple[Opened, ...]]
    says: frozenset[str]
    arranges: Mapping[str, frozenset[str]]
    hidden: frozenset[str]
    acts: frozenset[str]
    breaks: bool
    watches: bool
    reviews: bool


def policy_files() -> Iterator[tuple[str, str]]:
    """(name, text) of every policy file, in the order of their names."""
    root = files("continuum")
    for part in POLICY_PARTS:
        yield from _below(root / part, part)


def _below(folder: Traversable, name: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir() and entry.name not in ("tests", "__pycache__"):
            yield from _below(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".cedar"):
            yield f"{name}/{entry.name}", entry.read_text(encoding="utf-8")


def schema_text() -> str:
    """The schema of the policies."""
    return (files("continuum") / "access" / "policies" / "schema.cedarschema").read_text(encoding="utf-8")


@cache
def _policies() -> PolicySet:
    return PolicySet.from_str("\n".join(text for _, text in policy_files()))


def entities(shape: Shape) -> list[dict[str, Any]]:
    """The principal with its roles, and the classes with their groups."""
    groups = MEMBERSHIPS.get(shape.role, ())
    found: list[dict[str, Any]] = [
        {
            "uid": {"type": "User", "id": "asking"},
            "attrs": {"identity": shape.identity_level, "authenticator": shape.authenticator_level},
            "parents": [{"type": "Role", "id": name} for name in (shape.role, *groups)],
        }
    ]
    for name in TYPES_OF:
        parents = [{"type": "Group", "id": group} for group, members in GROUPS.items() if name in members]
        found.append({"uid": {"type": "Class", "id": name}, "attrs": {}, "parents": parents})
    return found


def _asked(action: str, kind: str, name: str, context: Mapping[str, str]) -> dict[str, Any]:
    return {
        "principal": 'User::"asking"',
        "action": f'Action::"{action}"',
        "resource": f'{kind}::"{name}"',
        "context": dict(context),
    }


@lru_cache(maxsize=SHAPES_CACHED_MAX)
def rules(shape: Shape) -> Rules:
    """Everything that the policies say to a kind of session; some tens of milliseconds at first, then kept."""
    handle = Entities.from_json_str(orjson.dumps(entities(shape)).decode())

    def decide(requests: list[dict[str, Any]]) -> list[bool]:
        answers = is_authorized_batch(requests, _policies(), handle)
        return [_allowed(answer) for answer in answers]

    purpose = shape.purpose
    opens, breaks, watches, reviews, *acts = decide(
        [_asked(action, "Purpose", purpose, {}) for action in ("open", "break", "watch", "review", *CHART_ACTS)]
    )
    if not opens:
        nothing: frozenset[str] = frozenset()
        return Rules(
            opens=False,
            sees={},
            writes={},
            says=nothing,
            arranges={},
            hidden=nothing,
            acts=nothing,
            breaks=False,
            watches=False,
            reviews=False,
        )
    groups = tuple(ELEMENT_GROUPS)
    revealed = decide([_asked("reveal", "Elements", name, {"purpose": purpose}) for name in groups])

    def context(relation: str, label: str) -> dict[str, str]:
        return {"purpose": purpose, "relation": relation, "label": label}

    said = decide([_asked("say", "Class", name, context("own", UNLABELLED)) for name in TYPES_OF])
    workflows = list(product(TYPES_OF, ("all", "own")))
    arranged = decide([_asked("arrange", "Class", name, context(via, UNLABELLED)) for name, via in workflows])
    plain = list(product(("see", "write"), TYPES_OF, RELATIONS))
    permitted = decide([_asked(action, "Class", name, context(via, UNLABELLED)) for action, name, via in plain])
    open_ones = [one for one, yes in zip(plain, permitted, strict=True) if yes]
    labelled = [(*one, label) for one in open_ones for label in LABELS]
    answers = decide([_asked(action, "Class", name, context(via, label)) for action, name, via, label in labelled])
    masks = dict.fromkeys(open_ones, 0)
    for (action, name, via, label), yes in zip(labelled, answers, strict=True):
        if not yes:
            masks[action, name, via] |= LABELS[label]
    found: dict[str, dict[str, list[Opened]]] = {"see": {}, "write": {}}
    for (action, name, via), mask in masks.items():
        found[action].setdefault(name, []).append(Opened(via, mask))
    return Rules(
        opens=True,
        sees={name: tuple(opened) for name, opened in found["see"].items()},
        writes={name: tuple(opened) for name, opened in found["write"].items()},
        says=frozenset(name for name, yes in zip(TYPES_OF, said, strict=True) if yes),
        arranges=_by_name(one for one, yes in zip(workflows, arranged, strict=True) if yes),
        hidden=frozenset(name for name, shown in zip(groups, revealed, strict=True) if not shown),
        acts=frozenset(name for name, yes in zip(CHART_ACTS, acts, strict=True) if yes),
        breaks=breaks,
        watches=watches,
        reviews=reviews,
    )


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, relation in pairs:
        found[name] = found.get(name, frozenset()) | {relation}
    return found


def _allowed(answer: AuthzResult) -> bool:
    """Whether Cedar allows; a policy that could not be evaluated must not be skipped over, it might have forbidden."""
    return answer.decision == Decision.Allow and not answer.diagnostics.errors
