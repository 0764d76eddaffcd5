"""Templates as we compile them write what Jinja's own compiler writes."""

from contextlib import nullcontext
from datetime import date
from gettext import NullTranslations

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError, pass_context
from markupsafe import Markup

from continuum.ui.compiled import Code, spoken, text, want_no_context
from continuum.ui.render import environment_of, rendered
from continuum.ui.view import View, showing

TEMPLATES = {
    "lib": "{% macro shout(what, sign='!') %}{{ what }}{{ sign }}{{ varargs|length }}"
    "{{ kwargs.get('class', '') }}{% endmacro %}"
    "{% macro framed(title) %}<p>{{ title }}{{ caller() }}</p>{% endmacro %}"
    "{% macro rows(items) %}{% for one in items %}<i>{{ caller(one, loop.index) }}</i>{% endfor %}{% endmacro %}",
    "base": "{% block head %}<b>{{ title }}</b>{% endblock %}{% block body %}{% endblock %}",
    "page": '{% extends "base" %}{% import "lib" as lib with context %}{% block head %}{{ super() }}'
    "{{ self.body()|length }}{% endblock %}{% block body %}"
    '{{ lib.shout(title) }}{{ lib.shout(title, sign="&") }}{{ lib.shout(*items) }}{{ lib.shout(**{"what": title}) }}'
    '{{ lib.shout(title, class="<c>") }}{{ lib.shout(title, "?", 1, 2, **{"class": "d"}) }}'
    "{% call lib.framed(title) %}{{ items|join('<') }}{% endcall %}"
    "{% call(one, at) lib.rows(items) %}{{ at }}{{ one }}{% endcall %}"
    "{% for key, value in table.items() recursive %}"
    "{{ key }}={{ value if value is not mapping else loop(value.items()) }}{% endfor %}"
    "{% set kept = thing.name() %}{{ kept }}{{ thing }}{{ none }}{{ true }}{{ 1.50 }}{{ title ~ safe ~ 3 }}"
    '{{ safe }}{{ title|upper|replace("A", "<") }}{{ items[0] }}'
    '{{ _("50 %% of %(who)s", who=title) }}{{ _("100 %%") }}'
    '{{ ngettext("%(num)s day", "%(num)s days", 2) }}{% trans who=title %}Hello {{ who }}{% endtrans %}'
    "{% trans count=items|length %}one{% pluralize %}{{ count }} of them{% endtrans %}{{ [1, 2]|sum }}"
    "{{ range(3)|list }}{{ dict(a=1) }}{% filter upper %}{{ title }}{% endfilter %}{% endblock %}",
}


class Thing:
    """Has a name, and a text of its own."""

    def name(self):
        return "<name>"

    def __str__(self):
        return "thing & more"


VALUES = {"title": "A & <a>", "safe": Markup("<u>&amp;</u>"), "items": ["<x>", "y"], "thing": Thing(),
          "table": {"a": 1, "b": {"c": "<2>"}}}  # fmt: skip


def own() -> Environment:
    return environment_of(DictLoader(TEMPLATES), "en")


def usual() -> Environment:
    environment = Environment(
        loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    environment.install_gettext_translations(NullTranslations(), newstyle=True)
    return environment


def test_a_page_is_what_jinja_makes_of_it():
    assert own().code_generator_class is Code
    page = rendered(own().get_template("page"), VALUES)
    assert page == usual().get_template("page").render(VALUES)
    assert "&lt;c&gt;" in page
    assert "<u>&amp;</u>" in page
    assert "50 % of A &amp; &lt;a&gt;" in page


@pytest.mark.parametrize("wrong", ["{{ nobody }}", "{{ nobody() }}", "{{ title.nothing }}", "{{ title.nothing() }}"])
def test_what_is_not_there_is_an_error(wrong):
    with pytest.raises(UndefinedError):
        rendered(own().from_string(wrong), VALUES)


def test_a_function_that_wants_the_context_is_refused():
    @pass_context
    def wants(context):  # noqa: ARG001  it is the first argument that counts
        return ""

    want_no_context(own().globals)
    with pytest.raises(TypeError, match="wants"):
        want_no_context({"wants": wants})


def test_a_message_without_variables_is_made_once_and_stays_as_it_is():
    said = spoken(NullTranslations())
    assert said["gettext"]("a < b") == "a < b"
    assert said["gettext"]("a < b") is said["_"]("a < b")
    assert said["_"]("%(who)s", who="<") == "&lt;"
    with pytest.raises(KeyError):
        said["_"]("%(who)s")


def test_text_is_escaped_unless_it_says_that_it_is_safe():
    assert text("<") == "&lt;"
    assert text(Markup("<")) == "<"
    assert text(1) == "1"
    assert text(Thing()) == "thing &amp; more"


@pytest.mark.parametrize("reading", ["nobody reads", "somebody reads English"])
def test_a_template_is_compiled_once_for_all_languages_and_says_what_each_says(reading):
    words = {"page": '{{ _("Sign out") }}{% trans %}Sign out{% endtrans %} {{ "2026-01-02"|day ~ "!" }}' + reading}
    english, spanish = (environment_of(DictLoader(words), language) for language in ("en", "es"))
    with showing(View(date(2026, 1, 1), "en")) if reading != "nobody reads" else nullcontext():
        first = english.get_template("page")
    second = spanish.get_template("page")
    assert first.root_render_func.__code__ is second.root_render_func.__code__
    with showing(View(date(2026, 1, 1), "en")):
        assert first.render().endswith(f">Jan 2, 2026</time>!{reading}")
    with showing(View(date(2026, 1, 1), "es")):
        told = second.render()
    assert told.startswith("SalirSalir <time ")
    assert told.endswith(f">2 ene 2026</time>!{reading}")
    # Another text under the same name is another template.
    assert environment_of(DictLoader({"page": "<i>"}), "en").get_template("page").render() == "<i>"
