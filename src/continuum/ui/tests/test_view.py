"""The page speaks the language that the reader asked for, and shows the pages that there are."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.ui.language import gettext, ngettext_in
from continuum.ui.limits import (
    PAGE_LINKS_MAX,
)
from continuum.ui.paging import GAP, links
from continuum.ui.view import View, best_language, showing

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr-CA,fr;q=0.9,es;q=0.5,en;q=0.4", "es"),
        ("en;q=0.2, es;q=0.7", "es"),
        ("es;q=0, en;q=0.1", "en"),
        ("de,fr", "en"),
        (",;;q=,*", "en"),
        ("," * 5000 + "es", "en"),
    ],
)
def test_the_browser_is_asked_for_the_language(accept, language):
    assert best_language(accept) == language


def test_each_reader_gets_their_own_language_at_the_same_time():
    with showing(View(TODAY, "es")):
        assert gettext("Patient") == "Paciente"
        with showing(View(TODAY, "en")):
            assert gettext("Patient") == "Patient"
        assert gettext("Patient") == "Paciente"


def test_plurals_follow_the_language():
    assert ngettext_in("es", "%(num)s year", "%(num)s years", 1) == "1 año"
    assert ngettext_in("es", "%(num)s year", "%(num)s years", 2) == "2 años"


def test_a_view_of_an_unknown_language_cannot_be_made():
    with pytest.raises(AssertionError):
        View(TODAY, "tlh")


@given(st.integers(1, 500).flatmap(lambda pages: st.tuples(st.integers(1, pages), st.just(pages))))
def test_a_pagination_shows_both_ends_and_the_page_and_stays_short(where):
    page, pages = where
    shown = links(page, pages)
    assert len(shown) <= PAGE_LINKS_MAX
    assert {1, page, pages} <= set(shown)
    numbers = [number for number in shown if number != GAP]
    assert numbers == sorted(set(numbers))
    for before, gap, after in zip(shown, shown[1:], shown[2:], strict=False):
        assert gap != GAP or after - before > 1


def test_a_page_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no page 4 of 3"):
        links(4, 3)
