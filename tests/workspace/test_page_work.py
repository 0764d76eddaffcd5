"""What a page does once it does not do again for every entry or every point."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from jinja2 import ChoiceLoader, DictLoader, PackageLoader
from jinja2.runtime import Macro

from continuum.chart.entry import Entry, Fact, Mark
from continuum.chart.section import Shown, section
from continuum.ui.charts import Point, Series, trend
from continuum.ui.formats import times
from continuum.ui.render import environment_of, rendered
from continuum.ui.view import View, showing

VIEW = View(today=date(2026, 11, 23))
PAGES = {
    "list": '{% import "frame/entries.html" as entries with context %}{{ entries.entry_list(shown) }}',
    "chart": '{% import "ui/all.html" as ui %}{{ ui.chart(chart, "c") }}',
}


@pytest.fixture
def page(monkeypatch):
    """Renders one of these pages; the macros that it calls, by name."""
    loader = ChoiceLoader([DictLoader(PAGES), PackageLoader("continuum.apps.frame"), PackageLoader("continuum.ui")])
    environment = environment_of(loader, "en")
    called = []
    invoke = vars(Macro)["_invoke"]

    def counting(self, arguments, autoescape):
        called.append(self.name)
        return invoke(self, arguments, autoescape)

    monkeypatch.setattr(Macro, "_invoke", counting)

    def write(name, **values):
        called.clear()
        with showing(VIEW):
            return rendered(environment.get_template(name), values), list(called)

    return write


def entries(count, *, marks=()):
    return tuple(
        Entry("Observation", f"o{number}", 1, "Pulse", "2026-11-20T10:00:00Z", marks,
              (("value", Fact("quantity", number=Decimal(60 + number), unit="/min")),))
        for number in range(count)
    )  # fmt: skip


def test_the_columns_of_a_list_are_looked_for_once_and_entries_without_marks_ask_for_none(page, monkeypatch):
    looked = []
    used = Shown.used.fget
    monkeypatch.setattr(Shown, "used", property(lambda self: looked.append(1) or used(self)))
    text, called = page("list", shown=Shown(section("vitals"), entries(20)))
    assert text.count('<li class="record"') == 20
    assert text.count("<dt>Value</dt>") == 20
    assert len(looked) == 1
    assert called.count("marks") == 0
    text, called = page("list", shown=Shown(section("vitals"), entries(3, marks=(Mark("preliminary", "warning"),))))
    assert called.count("marks") == 3
    assert text.count("preliminary") == 3


def test_the_sign_of_a_line_is_drawn_once_for_all_its_points(page):
    at = datetime(2026, 11, 1, 10, tzinfo=UTC)
    points = tuple(Point(at + timedelta(days=number), Decimal(60 + number)) for number in range(20))
    with showing(VIEW):
        chart = trend("Pulse", (Series("Pulse", points),), "/min", VIEW)
    text, called = page("chart", chart=chart)
    assert text.count('<svg class="point line-0"') == 20
    assert text.count("<circle") >= 20
    assert called.count("_shape") == 1
    assert called.count("_flag") == 0


def test_an_instant_is_put_into_words_once_however_often_a_page_says_it(page):
    times.instant.cache_clear()
    page("list", shown=Shown(section("vitals"), entries(20)))
    assert times.instant.cache_info().misses == 1
