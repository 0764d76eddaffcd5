"""Names are found however they are spelt: case, accents, apostrophes, strokes and spaces make no difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.text import normalise, trigrams


@pytest.mark.parametrize(
    ("one", "other"),
    [("O'Brien", "OBRIEN"), ("O\u2019Brien", "o'brien"), ("Müller-Lüdenscheidt", "muller ludenscheidt"),
     ("Straße", "STRASSE"), ("Łódź", "Lodz"), ("Sørensen", "sorensen"), ("Ægir", "aegir"), ("Đặng", "dang"),
     ("İstanbul", "istanbul"),
     ("Ka\u2018ahumanu", "kaahumanu"), ("Ka\u02bbahumanu", "kaahumanu"), ("D\u00b4Arcy", "d'arcy"), ("ﬁsh", "fish"),
     ("  de   la\tCruz ", "De La Cruz"), ("Smith, Jr.", "smith jr"), ("e\u0301", "é")],
)  # fmt: skip
def test_two_spellings_are_one_name(one, other):
    assert normalise(one) == normalise(other)


def test_different_names_stay_different():
    assert len({normalise(name) for name in ("Ana", "Anna", "An", "Ane", "日本", "日木", "Ирина")}) == 7


@given(st.text())
def test_normalising_twice_changes_nothing_and_leaves_no_mark_or_double_space(text):
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    assert "  " not in once
    assert not set(once) & set("'\u2019`.,;:-_!?\n\t")


def test_normalising_twice_changes_nothing_for_any_character():
    planes = [*range(0xD800), *range(0xE000, 0x20000)]
    points = (chr(point) for point in planes)
    plain = normalise.__wrapped__
    assert [char for char in points if plain(plain(char)) != plain(char)] == []


@given(st.text(), st.text(), st.text())
def test_the_trigrams_of_a_part_are_among_those_of_the_whole(before, part, after):
    assert trigrams(part) <= trigrams(before + part + after)
    assert all(len(gram) == 3 for gram in trigrams(part))
