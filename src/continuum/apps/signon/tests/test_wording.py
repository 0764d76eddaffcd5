"""Every whole sentence that sign-on says to people can be translated."""

import ast
from pathlib import Path

from continuum.access.actor import PURPOSES
from continuum.access.disclosures import COMMAND
from continuum.access.telling import DEEDS, NO_THING, OTHER_DEED, OTHER_THING, THINGS
from continuum.apps.signon.wording import DOCUMENTS, PARTS, SENTENCES
from continuum.identity.proofing import WITH_PHOTO, WITHOUT_PHOTO

PACKAGE = Path(__file__).resolve().parents[3]
TO_PROGRAMS = {"clients.py", "tokens.py", "vault.py", "binding.py", "oidc.py"}
"""What these say is read by programs and by those who run the server."""


def sentences(source: str) -> set[str]:
    """Texts with a capital, a space and a full stop that are no docstring and no part of a text with values in it."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone | within
        and node.value[:1].isupper() and " " in node.value and node.value.endswith((".", "?"))
    }  # fmt: skip


def said() -> set[str]:
    found = set()
    for folder in ("identity", "apps/signon"):
        for path in (PACKAGE / folder).rglob("*.py"):
            below = path.relative_to(PACKAGE / folder).parts
            passed_over = {"tests", "provider", "matching"} & set(below)
            if not passed_over and path.name not in {*TO_PROGRAMS, "wording.py", "rendering.py"}:
                found |= sentences(path.read_text(encoding="utf-8"))
    return found


def test_every_sentence_is_marked_and_none_that_nobody_says():
    assert set(SENTENCES) ^ said() == set()
    assert len(SENTENCES) == len(set(SENTENCES)) > 50


def test_all_that_the_trace_is_told_in_is_marked():
    told = {COMMAND, *DEEDS.values(), OTHER_DEED, *THINGS.values(), OTHER_THING, NO_THING, *PURPOSES.values()}
    assert set(PARTS) == told
    assert len(PARTS) == len(told)


def test_every_kind_of_document_is_marked():
    assert sorted(DOCUMENTS) == sorted(WITH_PHOTO | WITHOUT_PHOTO)


def test_a_new_sentence_would_be_found():
    assert sentences('"""A docstring here."""\nraise X("Please wait a bit.")\ny = f"There are {n} of them."') == {
        "Please wait a bit."
    }
