"""Writes `docs/reference/` from the code, so that it cannot say anything else: `make docs`.

`tests/docs` compares: a command, setting or limit that is new, changed or gone fails the suite until this has
been run, and one without words of its own fails here.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
WRITTEN = "\n<!-- Written by `make docs`; change the code, not this page. -->\n\n"


def limits_page() -> str:
    """Every bound in `kernel/limits.py` with its value and its docstring."""
    source = ROOT / "src" / "continuum" / "kernel" / "limits.py"
    rows = [f"| `{name}` | {value} | {words} |" for name, value, words in bounds(source.read_text())]
    return (
        f"# Limits\n{WRITTEN}"
        "Every page, queue, upload, retry and loop is bounded. The bounds are constants of the release, in\n"
        "`src/continuum/kernel/limits.py`; whoever meets one is told so in the answer.\n\n"
        "| Name | Value | What it bounds |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def bounds(source: str) -> Iterator[tuple[str, str, str]]:
    """(name, value as a person writes it, words) of each constant of a module, in its order.

    Raises:
        SystemExit: a constant has no docstring beneath it.
    """
    body = ast.parse(source).body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if not documented:
            raise SystemExit(f"{name} in kernel/limits.py has no words beneath it that say what it bounds.")
        assert isinstance(following, ast.Expr)
        words = " ".join(str(ast.literal_eval(following.value)).split())
        yield name, readable(name, eval_arithmetic(statement.value)), words


def eval_arithmetic(node: ast.expr) -> int | float:
    """The value of a number or a product of numbers."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return eval_arithmetic(node.left) * eval_arithmetic(node.right)
    value = ast.literal_eval(node)
    assert isinstance(value, int | float), "a limit is a number"
    return value


def readable(name: str, value: float) -> str:
    """A limit as a person says it: 16 MiB, 30 s, 1,000."""
    mebibyte = 1024 * 1024
    if name.endswith("_BYTES"):
        if value % mebibyte == 0:
            return f"{value // mebibyte:,} MiB"
        return f"{value // 1024:,} KiB" if value % 1024 == 0 else f"{value:,} bytes"
    if name.endswith("_S"):
        days, rest = divmod(value, 24 * 3600)
        return f"{days:,.0f} days" if days and not rest else f"{value:,g} s"
    return f"{value:,}"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """(full name, command) of a command and of everything below it, in the order of their names."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, f"{path} {name}")


def cli_page() -> str:
    """Every command with exactly what its `--help` says."""
    from continuum.apps.admin.cli import main as root  # noqa: PLC0415 - the other pages need no web server

    parts = [
        (
            f"# Commands\n{WRITTEN}"
            "What each command says of itself with `--help`. In a clone the program is `.venv/bin/continuum`.\n"
        )
    ]
    for path, command in commands(root, "continuum"):
        *outer, name = path.split()
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        for part in reversed(outer):
            context.parent = click.Context(click.Group(part), info_name=part, parent=context.parent)
        help_text = re.sub(r"[ \t]+$", "", command.get_help(context), flags=re.MULTILINE).strip()
        parts.append(f"\n## `{path}`\n\n```text\n{help_text}\n```\n")
    return "".join(parts)


def settings_page() -> str:
    """Every setting with its variable, its default and its meaning."""
    from continuum.runtime.settings import SETTINGS  # noqa: PLC0415 - as above

    rows = []
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "none"
        rows.append(f"| `{setting.variable}` | {default} | {setting.meaning} |")
    return (
        f"# Settings\n{WRITTEN}"
        "A setting is taken from the command line, else from the environment, else from its default. Each\n"
        "command names the options that it takes in [Commands](cli.md).\n\n"
        "| Variable | Default | What it means |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


PAGES = {"cli.md": cli_page, "limits.md": limits_page, "settings.md": settings_page}


def main() -> None:
    """Writes every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
