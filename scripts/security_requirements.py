"""Which test shows which security requirement: read from tests/requirements.toml and from the tests' own markers."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tests" / "requirements.toml"
KINDS = ("shown", "elsewhere", "not-applicable", "open")


@dataclass(frozen=True, slots=True)
class Marked:
    """A test that says what it shows. path: from the root of the tree. slow: it runs in `make proof` only."""

    path: str
    name: str
    ids: tuple[str, ...]
    slow: bool


def catalogue() -> dict[str, dict[str, str]]:
    """{kind: {id: words}} of every requirement that we answer to."""
    found: dict[str, dict[str, str]] = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return found


def marked(root: Path = ROOT) -> Iterator[Marked]:
    """Every test with a marker `requirement`, from the source: nothing is run."""
    for path in sorted([*(root / "src").rglob("test_*.py"), *(root / "tests").rglob("test_*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        slow_file = "mark.proof" in "".join(
            ast.unparse(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        )
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marks = [one for one in node.decorator_list if "pytest.mark." in ast.unparse(one)]
                ids = tuple(name for one in marks for name in _ids(one))
                if ids:
                    slow = slow_file or any("mark.proof" in ast.unparse(one) for one in marks)
                    yield Marked(path.relative_to(root).as_posix(), node.name, ids, slow)


def _ids(decorator: Any) -> tuple[str, ...]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement":
        return tuple(ast.literal_eval(one) for one in decorator.args)
    return ()


def page() -> str:
    """The page of requirements and what shows them."""
    known, tests = catalogue(), defaultdict(list)
    for one in marked():
        for name in one.ids:
            tests[name].append(one)
    stig = {name: words for name, words in known["shown"].items() if "-" in name}
    asvs = {name: words for name, words in known["shown"].items() if "-" not in name}
    counted = sum("-" not in name for kind in KINDS for name in known.get(kind, {}))
    intro = f"""\
What each requirement asks for, in our own words, and the tests that show it. Every test named here is part of
`make test`: a run in which none that shows a requirement passes fails.

{len(asvs)} of the {counted} requirements of levels 1 and 2 of the OWASP Application Security Verification Standard
5.0.0 are shown by tests; {len(known["elsewhere"])} are seen to where no test of ours reaches,
{len(known["not-applicable"])} have nothing here to apply to, and {len(known.get("open", {}))} are open. Of DISA's
Application Security and Development STIG (V6R4), {len(stig)} checks of sign-in, sessions, passwords, the banner, input
and the trail are shown. They hold with the password profile `dod-stig` where they differ from the default, which
follows NIST SP 800-63B-4.
"""
    parts = [
        intro,
        f"\n## ASD STIG\n\n{_shown(stig, tests)}",
        f"\n## ASVS: shown by tests\n\n{_shown(asvs, tests)}",
        f"\n## ASVS: seen to elsewhere\n\n{_said(known['elsewhere'], 'By what')}",
        f"\n## ASVS: nothing to apply to\n\n{_said(known['not-applicable'], 'Why')}",
        f"\n## ASVS: open\n\n{_said(known.get('open', {}), 'What is missing')}",
    ]
    return "".join(parts)


def _shown(wanted: dict[str, str], tests: dict[str, list[Marked]]) -> str:
    rows = []
    for name, words in wanted.items():
        links = "; ".join(
            f"[{one.name.removeprefix('test_').replace('_', ' ')}](../../{one.path})" for one in tests[name]
        )
        rows.append(f"| {name} | {words} | {links} |\n")
    return "| Requirement | What it asks for | Shown by |\n|---|---|---|\n" + "".join(rows)


def _said(wanted: dict[str, str], heading: str) -> str:
    rows = [f"| {name} | {words} |\n" for name, words in wanted.items()]
    return f"| Requirement | {heading} |\n|---|---|\n" + "".join(rows)
