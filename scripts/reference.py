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
    """Every bound of every `limits.py` with its value and its docstring."""
    tables = []
    product = ROOT / "src" / "continuum"
    for source in sorted(product.rglob("limits.py"), key=lambda path: (path.parent.name != "kernel", path)):
        rows = [f"| `{name}` | {value} | {words} |" for name, value, words in bounds(source.read_text())]
        table = "| Name | Value | What it bounds |\n|---|---|---|\n" + "\n".join(rows)
        tables.append(f"## `{source.relative_to(product)}`\n\n{table}\n")
    return (
        f"# Limits\n{WRITTEN}"
        "Every page, queue, upload, retry and loop is bounded. The bounds are constants of the release; whoever meets\n"
        "one is told so in the answer.\n\n" + "\n".join(tables)
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
            raise SystemExit(f"{name} of a limits.py has no words beneath it that say what it bounds.")
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


def commands(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, click.Context]]:
    """(full name, context) of a command and of everything below it, in the order of their names."""
    settings = {**command.context_settings, "max_content_width": 100, "terminal_width": 100}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context.command_path, context
    if isinstance(command, click.Group):
        for below in sorted(command.list_commands(context)):
            found = command.get_command(context, below)
            assert found is not None, "a listed command is there"
            if not found.hidden:
                yield from commands(found, below, context)


def cli_page() -> str:
    """Every command with exactly what its `--help` says."""
    from continuum.apps.admin.cli import main as root  # noqa: PLC0415 - the other pages need no web server

    parts = [
        f"# Commands\n{WRITTEN}",
        "What each command says of itself with `--help`. In a clone the program is `.venv/bin/continuum`.\n",
    ]
    for path, context in commands(root, "continuum"):
        help_text = re.sub(r"[ \t]+$", "", context.get_help(), flags=re.MULTILINE).strip()
        parts.append(f"\n## `{path}`\n\n```text\n{help_text}\n```\n")
    return "".join(parts)


def _functional_lists() -> str:
    """The functional lists, with the criteria that they are."""
    from continuum.fhir.functional_lists import LISTS  # noqa: PLC0415 - as above

    rows = [
        f"| `{name}` | {resource_type} | {' '.join(f'`{code}={value}`' for code, value in criteria)} |"
        for name, by_type in LISTS.items()
        for resource_type, criteria in by_type.items()
    ]
    return (
        "R4 names lists of what is current; `AllergyIntolerance?patient=42&_list=$current-allergies` asks for one.\n"
        "Nobody keeps them: each is criteria that join those of the search, with or without a patient. What is not\n"
        "said to be over or wrong is on them, also where no status is said. A prescription with `doNotPerform` is on\n"
        "the list of medications: R4 has no parameter that tells it from others, so read that element.\n\n"
        "| List | Type | Criteria |\n|---|---|---|\n"
    ) + "\n".join(rows)


def _parameters_of_types() -> tuple[set[str], list[str]]:
    """The parameters that every type has, and a row for each type with the others."""
    from continuum.fhir.search_params import params  # noqa: PLC0415 - as above
    from continuum.fhir.types import TYPES  # noqa: PLC0415 - as above

    shared = set.intersection(*(set(params(name)) for name in TYPES))
    rows = []
    for name in TYPES:
        own = [
            f"`{code}` ({found.kind})"
            for code, found in sorted(params(name).items())
            if code not in shared and found.kind not in {"special", "words"}
        ]
        rows.append(f"| {name} | {', '.join(own)} |")
    return shared, rows


def search_page() -> str:
    """What can be asked: kinds, modifiers, prefixes, and every parameter of every type."""
    from continuum.fhir.grammar import MODIFIERS  # noqa: PLC0415 - as above
    from continuum.fhir.grammar_filter import OPERATORS  # noqa: PLC0415 - as above
    from continuum.fhir.grammar_values import PREFIXES  # noqa: PLC0415 - as above

    kinds = [
        f"| {kind} | {', '.join(f'`:{modifier}`' for modifier in modifiers)} |"
        for kind, modifiers in MODIFIERS.items()
        if modifiers and kind != "special"
    ]
    filters = "; ".join(
        f"{kind}: {', '.join(f'`{one}`' for one in sorted(operators))}"
        for kind, operators in OPERATORS.items()
        if kind not in {"special", "words"}
    )
    shared, rows = _parameters_of_types()
    return (
        f"# Search\n{WRITTEN}"
        "`GET /fhir/{type}?…`, or `POST /fhir/{type}/_search` with the same as a form. Criteria are joined by AND;\n"
        "values with a comma between them by OR; a backslash takes the meaning from `,`, `$` and `|`. A parameter\n"
        "that is not listed here is refused, unless the request says `Prefer: handling=lenient`. A modifier or value\n"
        "that cannot be used is refused however lenient the request.\n\n"
        "## Modifiers by kind\n\n"
        "A reference also takes the name of a type it may lead to: `subject:Patient=123`.\n\n"
        "| Kind | Modifiers |\n|---|---|\n" + "\n".join(kinds) + "\n\n"
        "## Prefixes\n\n"
        f"On dates, numbers and quantities: {', '.join(f'`{prefix}`' for prefix in PREFIXES)}; without one, `eq`.\n"
        "A value is as exact as it is written: `2026-03` is all of March, `5.4` is everything that rounds to it.\n\n"
        "## Composites\n\n"
        "`code-value-quantity=8867-4$gt90` asks for parts that belong together, with `$` between. Where a resource\n"
        "may have several such pairs, as components of an observation, a token needs its code: `system|` is\n"
        "refused there.\n\n"
        "## Words\n\n"
        "`_content=…` finds whole words in all text of a resource, `_text=…` in its narrative (types without one have\n"
        "no `_text`), `code:text=…` in what stands beside a code: a display, the text of a concept, an identifier's\n"
        "kind, or the display of a reference. Every word given must be there; case, accents and punctuation do not\n"
        "count. Values of identifiers and telephone numbers are no text: ask for those by their own parameters.\n"
        "`identifier:of-type=system|code|value` names the type of an identifier and its value.\n\n"
        "## Logic\n\n"
        "`_filter=…` (R4 §3.1.3) joins tests by `and`, `or`, `not (…)` and brackets, from left to right:\n"
        "`_filter=(status eq final or status eq amended) and subject:Patient[gender eq male].birthdate ge 1990`.\n"
        "`ne` means: there is a value and none is equal; on strings, numbers and dates: some value differs.\n"
        "All but `_text` and `_content` take `pr` with `true` or `false`: whether there is a value. "
        f"Beside it, {filters}. `_text` and `_content` take `co` and `eq`.\n"
        "On a token `in` and `ni` name a value set; `sb` and `ss` find what a code, or any code of a value set,\n"
        "subsumes or is subsumed by.\n\n" + _VALUE_SETS + _ORDER + "## Across resources\n\n"
        "- `patient.identifier=…` or `subject:Patient.name=…` follows a reference, as deep as the limits allow.\n"
        "- `_has:Observation:patient:code=…` finds what is referred to, `_list=42` what the List 42 has as an item,\n"
        "  and `_list=$current-allergies` a [functional list](#functional-lists).\n"
        "- `GET /fhir?_type=Patient,Observation&_lastUpdated=…` searches several types at once, by what all of them\n"
        "  have; without `_type`, every type. The oldest change comes first; `_sort` takes what all of them have,\n"
        "  as one kind of value: `_type=Observation,Encounter&_sort=-date`.\n"
        "  `_type=AuditEvent` stands alone: the trace lies elsewhere, newest first, in no order with resources.\n"
        "- `_include=Observation:subject`, `_revinclude=Provenance:target` bring others, `:iterate` theirs too.\n\n"
        f"## Functional lists\n\n{_functional_lists()}\n\n"
        "## On every type\n\n"
        f"{', '.join(f'`{code}`' for code in sorted(shared))}\n\n"
        "How to answer: `_sort`, `_count`, `_total`, `_summary`, `_elements`, `_format`, `_pretty`. The link `next`\n"
        "of a page leads on without a gap or a repeat, whatever is written meanwhile.\n\n"
        "## Parameters of each type\n\n"
        "| Type | Parameters |\n|---|---|\n" + "\n".join(rows) + "\n"
    )


_VALUE_SETS = (
    "## Value sets\n\n"
    "`code:in=http://example.org/ValueSet/statins` finds what has a code of a value set (`:not-in` what has none),\n"
    "`code:below=system|code` what has the code or one that it subsumes, `:above` one that subsumes it. A value set\n"
    "is named by its URL, `URL|version` or `ValueSet/id`. It and the CodeSystem with the hierarchy are resources of\n"
    "the record: load them by `continuum import` or REST. What is active counts before drafts, then the latest; what\n"
    "you may not read you cannot ask by, and what is not there is refused with its name. `compose` is read with all\n"
    "filters but `regex`; where it needs a code system that is not there, a whole `expansion` is taken.\n\n"
)
_ORDER = (
    "## Order\n\n"
    "`_sort` takes any parameters of the type but words, each with a minus before it to sort\n"
    "downwards. A token sorts by its code, a reference by what it names, a pair (`code-value-quantity`) by its\n"
    "first part, then the next; `near` puts the nearest first, in whole metres from the place that the search is\n"
    "near to. Resources without a value come last.\n"
    "Dates, strings, numbers, quantities, uris, `_id` and `_lastUpdated` have an index: alone or as the first of\n"
    "several, little more is read than the page needs. By all others the matches are all read, up to the\n"
    "[limits](limits.md): such an order costs more the more matches there are, on every page.\n\n"
)


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


def requirements_page() -> str:
    """Security requirements and the tests that show them."""
    import security_requirements as requirements  # noqa: PLC0415 - as above

    return f"# Security requirements\n{WRITTEN}{requirements.page()}"


PAGES = {
    "cli.md": cli_page,
    "limits.md": limits_page,
    "search.md": search_page,
    "security-requirements.md": requirements_page,
    "settings.md": settings_page,
}


def main() -> None:
    """Makes every page, and writes them only when all could be made."""
    made = {name: page() for name, page in PAGES.items()}
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
