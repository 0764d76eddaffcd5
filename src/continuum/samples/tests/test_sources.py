"""Every table of figures says where it is from, and the page that lists them lists all."""

import importlib
import pkgutil
from pathlib import Path

from continuum.samples import data

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "sample-people.md"
TABLES_OF_FIGURES = {
    "acute",
    "allergies",
    "families",
    "growth",
    "illnesses",
    "laboratory",
    "medicines",
    "services",
    "vaccines",
}


def sources():
    for entry in pkgutil.iter_modules(data.__path__):
        module = importlib.import_module(f"{data.__name__}.{entry.name}")
        for source in getattr(module, "SOURCES", ()):
            yield entry.name, source


def test_the_page_lists_every_source_and_no_other():
    kinds = tuple(f"| {kind} |" for kind in ("read", "recalled", "chosen"))
    listed = {line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.endswith(kinds)}
    assert listed == {f"| {source.table} | {source.publication} | {source.kind} |" for _, source in sources()}


def test_every_table_of_figures_has_its_sources():
    assert {name for name, _ in sources()} == TABLES_OF_FIGURES
