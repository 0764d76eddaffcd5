"""Templates hold no text that cannot be translated, no class that is not shipped, nothing that our own policy stops."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import build_ui
import pytest
from jinja2 import Environment, TemplateSyntaxError
from markupsafe import Markup

from continuum.ui.language import BUILT
from continuum.ui.people import Patient, Problem
from continuum.ui.render import Pages
from continuum.ui.view import View, showing

PACKAGE = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 23)
OLDER = {"apps/fhir_api"}
"""Pages for programmers, in English only."""
TEMPLATES = [
    path
    for path in sorted(PACKAGE.glob("**/templates/**/*.html"))
    if not any(path.is_relative_to(PACKAGE / part) for part in OLDER)
]
SPOKEN = {"alt", "aria-label", "aria-description", "placeholder", "title", "summary", "aria-roledescription"}
NOT_WORDS = {"Continuum"}
LETTERS = re.compile(r"[^\W\d_]{2,}")


class Texts(HTMLParser):
    """The words that a reader sees or hears, of markup in which every expression has become a space."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data):
        self.found += [word for word in LETTERS.findall(data) if word not in NOT_WORDS]

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  the parser's signature
        for name, value in attrs:
            if name in SPOKEN and value:
                self.found += LETTERS.findall(value)


def untranslated(source: str) -> list[str]:
    """Words of a template outside of its expressions."""
    lexed = Environment(autoescape=True).lex(source)
    markup = "".join(value if kind == "data" else " " if kind.endswith("_end") else "" for _, kind, value in lexed)
    parser = Texts()
    parser.feed(markup)
    parser.close()
    return parser.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_word_of_a_template_goes_through_gettext(path):
    assert untranslated(path.read_text(encoding="utf-8")) == []


def test_a_word_that_is_not_translated_would_be_found():
    assert untranslated('<p>{{ _("Fine") }}</p><p>Hello</p>') == ["Hello"]
    assert untranslated('<img alt="A face" class="wide">') == ["face"]
    assert untranslated('{# comment #}<p class="{% if x %}big{% endif %}">{{ name }}</p>') == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_template_has_no_script_style_or_handler_of_its_own(path):
    source = path.read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", source) == []
    assert "|safe" not in source.replace('" "|safe', "")
    try:
        Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    except TemplateSyntaxError as error:
        pytest.fail(f"{path}: {error}")


def shipped_classes() -> set[str]:
    sheets = [BUILT / "uswds.css", *(PACKAGE / "ui" / "styles").glob("*.css")]
    return {name for path in sheets for name in re.findall(r"\.([a-z][\w-]*)", path.read_text(encoding="utf-8"))}


def test_every_class_of_the_system_that_a_template_names_is_shipped():
    named = {name for path in TEMPLATES for name in re.findall(r"usa-[a-z][a-z_-]*[a-z]", path.read_text())}
    # `usa-{{ kind }}__label` and the like leave a beginning without an end.
    whole = {name for name in named if not name.endswith(("-", "_"))}
    assert len(whole) > 40
    wanted = set(build_ui.plan()["css"]["classes"])
    assert whole - wanted == set(), "add them to uswds.toml"
    assert {name for name in whole if name in wanted} - shipped_classes() == set()


def test_no_class_is_kept_that_nothing_uses():
    sources = "".join(path.read_text() for path in TEMPLATES)
    built = {"usa-radio", "usa-checkbox", "usa-step-indicator__segment"}
    unused = {
        name for name in build_ui.plan()["css"]["classes"] if name not in sources and not name.startswith(tuple(built))
    }
    assert unused == set()


def test_every_icon_that_a_template_names_is_in_the_sheet():
    sheet = set(re.findall(r'<symbol id="([a-z_]+)"', (BUILT / "icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'icon\("([a-z_]+)"', path.read_text())}
    assert len(named) > 5
    assert named <= sheet
    assert set(build_ui.plan()["icons"]["names"]) == sheet


HOSTILE = "<script>alert(1)</script>\" onmouseover='x' '"


@pytest.fixture(scope="module")
def pages():
    return Pages()


def drawn(pages: Pages, source: str, language: str = "en", **values) -> str:
    template = pages._environments[language].from_string('{% import "ui/all.html" as ui %}' + source)  # noqa: SLF001  the only way to a template without a file
    with showing(View(TODAY, language)):
        return template.render(**values)


@pytest.mark.parametrize(
    "source",
    [
        '{{ ui.text_field("name", x, x, hint=x, error=x, suffix=x) }}',
        '{{ ui.select_field("name", x, [(x, x)], x, error=x) }}',
        '{{ ui.textarea_field("name", x, x) }}',
        '{{ ui.radio_field("name", x, [(x, x, x)], x) }}',
        '{{ ui.date_field("name", x, {"month": x, "day": x, "year": x}, error=x) }}',
        '{{ ui.button(x, href=x, attrs={"hx-get": x}) }}',
        '{{ ui.table(x, [x, (x, "number")], [[x, x]]) }}',
        "{{ ui.description_list([(x, x)]) }}",
        '{{ ui.alert("error", x, x) }}',
        "{{ ui.toast(x) }}",
        '{{ ui.breadcrumbs([(x, x), (x, "")]) }}',
        "{{ ui.pagination(2, 3, x, x) }}",
        "{{ ui.steps([x, x], 1) }}",
        "{{ ui.empty(x, x) }}{{ ui.tag(x) }}{{ ui.status(x) }}{{ ui.progress(x, 3) }}",
        "{% call ui.card(x, href=x, source=x) %}{{ x }}{% endcall %}",
        '{% call ui.timeline(x) %}{{ ui.timeline_entry("2020", x, source=x, marked=x) }}{% endcall %}',
        "{{ ui.error_summary([problem]) }}",
    ],
)  # fmt: skip
@pytest.mark.requirement("V-222602", "V1.1.2", "V1.2.1", "V3.2.2")
def test_hostile_text_stays_text_in_every_macro(pages, source):
    made = drawn(pages, source, x=HOSTILE, problem=Problem("name", HOSTILE))
    assert "<script" not in made
    assert "&lt;script&gt;" in made
    found = Attributes()
    found.feed(made)
    assert "onmouseover" not in found.names


class Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  same
        self.names |= {name for name, _ in attrs}


def test_a_field_is_tied_to_its_hint_and_its_error(pages):
    made = drawn(pages, '{{ ui.text_field("weight", "Weight", hint="h", error="e") }}')
    assert '<label class="usa-label usa-label--error" for="weight">' in made
    assert 'aria-describedby="weight-hint weight-error"' in made
    assert 'aria-invalid="true"' in made
    assert 'id="weight-hint"' in made
    assert 'id="weight-error"' in made


def test_the_error_summary_counts_leads_to_fields_and_takes_the_focus(pages):
    made = drawn(pages, "{{ ui.error_summary(ps) }}", "es", ps=[Problem("a", "Uno"), Problem("b", "Dos")])
    assert "Hay 2 problemas" in made
    assert '<a href="#a">Uno</a>' in made
    assert "data-takes-focus" in made
    assert drawn(pages, "{{ ui.error_summary([]) }}").strip() == ""


def test_a_state_is_told_in_words_and_silence_is_not_no_allergies(pages):
    patient = "{{ ui.patient_banner(p) }}"
    silent = Patient("1", [{"family": "Diaz"}], "1980-02-03", "Female", [])
    none = Patient(
        "1", [{"family": "Diaz"}], "1980-02-03", "Female", [], allergy_state="none_known", asserted="2026-01-05"
    )
    assert "Not recorded" in drawn(pages, patient, p=silent)
    asserted = drawn(pages, patient, p=none)
    assert "No known allergies" in asserted
    assert "Jan 5, 2026" in asserted
    assert "Not recorded" not in asserted


def test_a_time_is_for_people_and_for_machines(pages):
    made = drawn(pages, '{{ "2026-11-22"|day }}')
    assert made == Markup('<time datetime="2026-11-22">Nov 22, 2026</time>')
