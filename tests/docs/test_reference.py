"""The reference says exactly what the code does: every command, option, setting and limit, and nothing else."""

import re
from pathlib import Path

import click
import pytest

from scripts import reference
from tests.architecture.source import ROOT, text_of, tracked


@pytest.mark.parametrize("name", sorted(reference.PAGES))
@pytest.mark.requirement("V2.1.3")
def test_a_reference_page_is_what_the_code_says(name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), f"docs/reference/{name} is out of date: run `make docs`"


def test_every_command_and_option_helps_with_words_and_an_example():
    from continuum.apps.admin.cli import main

    for path, context in reference.commands(main, "continuum"):
        command = context.command
        assert command.help, f"`{path}` does not say what it does"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert parameter.help, f"`{path} {parameter.opts[0]}` does not say what it does"
        assert re.search(r"Examples?:\s+continuum ", context.get_help()), f"`{path}` shows no example"


def test_every_variable_that_the_code_reads_is_documented():
    read = {
        name
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] in {"src", "scripts", "tests", "benchmarks"}
        for name in re.findall(r"\bCONTINUUM_[A-Z_]*[A-Z]\b", text_of(path))
    }
    assert "CONTINUUM_DATABASE_URL" in read
    documented = (ROOT / "docs" / "reference" / "settings.md").read_text() + text_of(Path("docs/how-to/develop.md"))
    assert {name for name in read if f"`{name}" not in documented} == set()


def test_a_limit_without_words_is_refused():
    with pytest.raises(SystemExit, match="WARD_MAX"):
        list(reference.bounds("WARD_MAX = 3\nBED_MAX = 4\n'''Beds.'''\n"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BODY_MAX_BYTES", 16 * 1024 * 1024, "16 MiB"),
        ("URL_MAX_BYTES", 16 * 1024, "16 KiB"),
        ("REQUEST_TIMEOUT_S", 60.0, "60 s"),
        ("TOKEN_LIFETIME_S", 366 * 24 * 3600, "366 days"),
        ("DRAIN_TIMEOUT_S", 2.5, "2.5 s"),
        ("PAGE_MAX", 1_000, "1,000"),
    ],
)
def test_a_limit_is_written_as_a_person_says_it(name, value, said):
    assert reference.readable(name, value) == said


def test_the_page_of_limits_has_those_of_every_part():
    page = (ROOT / "docs" / "reference" / "limits.md").read_text()
    product = ROOT / "src" / "continuum"
    assert {path for path in product.rglob("limits.py") if f"## `{path.relative_to(product)}`" not in page} == set()


def test_no_limit_is_named_twice():
    for source in (ROOT / "src" / "continuum").rglob("limits.py"):
        names = [name for name, _, _ in reference.bounds(source.read_text())]
        assert len(names) == len(set(names)), source
