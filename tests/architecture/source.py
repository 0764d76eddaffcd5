"""The files of the project as git knows them, read once for the tests of this folder."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is or would be part of a commit, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    return tuple(sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()))


def written_by_hand(path: Path) -> bool:
    """Generated files and locks are left out: nobody reads them line by line."""
    return "_generated" not in path.parts and path.name != "package-lock.json" and path.suffix != ".lock"


@cache
def text_of(path: Path) -> str:
    """The text of a file; "" for one that is not UTF-8."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python_files() -> list[Path]:
    """Every Python file written by hand."""
    return [path for path in tracked() if path.suffix == ".py" and written_by_hand(path)]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text_of(path), filename=str(path))
