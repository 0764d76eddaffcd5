"""What a page was made of goes when the page is written, and what templates share stays."""

import gc
import weakref

import pytest
from jinja2 import DictLoader

from continuum.ui.render import environment_of, rendered

TEMPLATES = {
    "shared": "{% macro loud(text) %}{{ text|upper }}!{% endmacro %}",
    "lib": '{% import "shared" as shared %}{% macro say() %}{{ shared.loud(thing.text) }}{% endmacro %}',
    "frame": '{% import "lib" as lib with context %}<{% block inside %}{% endblock %}>{{ lib.say() }}',
    "part": "{% set twice = thing.text ~ thing.text %}{% macro it() %}{{ twice }}{% endmacro %}{{ it() }}",
    "page": '{% extends "frame" %}{% import "lib" as mine with context %}{% block inside %}{% macro own() %}'
    '{{ mine.say() }}{% endmacro %}{% for _ in [1, 2] %}{{ own() }}{% endfor %}{% include "part" %}{% endblock %}',
}


class Thing:
    """Something that a page tells of."""

    text = "hm"


@pytest.fixture
def environment():
    gc.collect()
    gc.disable()
    yield environment_of(DictLoader(TEMPLATES), "en")
    gc.enable()


def test_nothing_of_a_page_waits_for_the_collector(environment):
    for _ in range(2):
        thing = Thing()
        known = weakref.ref(thing)
        text = rendered(environment.get_template("page"), {"thing": thing})
        assert text == "<HM!HM!hmhm>HM!"
        del thing
        assert known() is None


def test_the_values_of_the_caller_are_left_as_they_are(environment):
    values = {"thing": Thing()}
    rendered(environment.get_template("page"), values)
    assert list(values) == ["thing"]
