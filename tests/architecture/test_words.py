"""What may not be in the tree: work left open, names that say nothing, and the paths of one machine."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, python_files, text_of, tracked, tree_of, written_by_hand

SELF = Path("tests/architecture/test_words.py")
LEFT_OPEN = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "stuff"}
# A person's folder on one machine; the clone's own place is added when the test runs.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users)/[A-Za-z_]")
POLL_MAX_S = 0.25
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".sql",
    ".sh",
    ".js",
    ".mjs",
    ".json",
    ".html",
    ".css",
    ".yml",
    ".yaml",
    ".svg",
    "",
}


def prose_and_code() -> list[Path]:
    return [path for path in tracked() if path.suffix in TEXT and written_by_hand(path) and path != SELF]


def hits(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def unfinished(source: str) -> list[int]:
    """Lines that raise NotImplementedError, as code and not as a word in a text."""
    words = tokenize.generate_tokens(io.StringIO(source).readline)
    return [word.start[0] for word in words if word.type == tokenize.NAME and word.string == "NotImplementedError"]


def test_nothing_is_left_open():
    code = [path for path in prose_and_code() if path.suffix not in {".md", ".json"}]
    assert len(code) > 20
    assert hits(LEFT_OPEN, code) == []


def test_nothing_is_declared_and_not_made():
    found = [f"{path}:{line}" for path in python_files() if path != SELF for line in unfinished(text_of(path))]
    assert found == []


def test_no_module_has_a_name_that_says_nothing():
    names = {path: [*path.with_suffix("").parts] for path in prose_and_code()}
    assert [str(path) for path, parts in names.items() if SAYS_NOTHING & {part.lower() for part in parts}] == []


def test_no_class_is_called_manager_or_helper():
    found = [
        f"{path}:{node.lineno}: {node.name}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils?)$", node.name)
    ]
    assert found == []


def test_no_file_knows_the_machine_it_was_written_on():
    places = [re.escape(str(ROOT)) + r"\b"]
    if len(ROOT.parent.parts) > 2:
        places.append(re.escape(str(ROOT.parent)) + r"\b")
    here = re.compile("|".join(places))
    assert hits(MACHINE_PATH, prose_and_code()) == []
    assert hits(here, prose_and_code()) == []


def test_no_lock_file_names_a_registry():
    for path in tracked():
        if path.name == "package-lock.json" or path.suffix == ".lock":
            assert not re.search(r"https?://|--(extra-)?index-url|--find-links|\"resolved\"", text_of(path)), path


def long_pauses(tree: ast.Module) -> list[int]:
    """Lines that sleep outside a loop, or longer than a poll should."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While | ast.For | ast.AsyncFor)]
    polling = {id(inner) for loop in loops for inner in ast.walk(loop)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}
        and not (isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
        and (id(node) not in polling or not is_short(node.args[0]))
    ]


def is_short(pause: ast.expr) -> bool:
    return not isinstance(pause, ast.Constant) or float(pause.value) <= POLL_MAX_S


def test_a_test_polls_and_never_just_sleeps():
    tests = [path for path in python_files() if "tests" in path.parts]
    assert [f"{path}:{line}" for path in tests for line in long_pauses(tree_of(path))] == []
    assert long_pauses(
        ast.parse("import time\ntime.sleep(1)\nwhile True:\n    time.sleep(5)\n    time.sleep(0.05)\n")
    ) == [2, 4]


def test_every_package_and_module_says_what_it_is():
    missing = [
        str(path)
        for path in python_files()
        if ast.get_docstring(tree_of(path)) is None and "tests" not in path.parts and tree_of(path).body
    ]
    assert missing == []


@pytest.mark.parametrize("word", ["TODO: later", "# FIXME", "x = 1  # XXX why"])
def test_the_patterns_find_what_they_look_for(word):
    assert LEFT_OPEN.search(word)
    assert MACHINE_PATH.search("see /home/ann/notes")
    assert not MACHINE_PATH.search("https://example.org/home/ann")
    assert unfinished("def f():\n    raise NotImplementedError\n") == [2]
