"""People are written the same way everywhere, whatever parts of their names are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.ui.formats.names import AVATAR_COLORS, avatar, full_name, initials, listed_name, masked, phone

ANA = {"use": "official", "family": "Rivera", "given": ["Ana", "Lucía"], "suffix": ["Jr."]}
MAIDEN = {"use": "maiden", "family": "Stone", "given": ["Ana"]}


def test_a_married_name_is_shown_and_the_maiden_name_is_not():
    assert full_name([MAIDEN, ANA]) == "Ana Lucía Rivera Jr."
    assert listed_name([MAIDEN, ANA]) == "Rivera Jr., Ana Lucía"
    assert full_name([MAIDEN]) == "Ana Stone"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ({"family": "O'Neil-Vásquez", "given": ["Marta"]}, "MO"),
        ({"family": "de la Cruz", "given": ["José"]}, "JC"),
        ({"family": "Østergård", "given": ["åse"]}, "ÅØ"),
        ({"given": ["Cher"]}, "C"),
        ({"text": "Baby Girl Jones"}, "BJ"),
        ({"family": "王", "given": ["秀英"]}, "秀王"),
        ({}, "?"),
    ],
)
def test_initials_of_names_from_everywhere(name, letters):
    assert initials([name]) == letters


def test_a_name_that_is_only_text_is_shown_as_it_is():
    assert full_name([{"text": "Unknown sailor"}]) == "Unknown sailor"
    assert listed_name([{"text": "Unknown sailor"}]) == "Unknown sailor"
    assert full_name([]) == listed_name([{}]) == ""


@given(st.text(max_size=40))
def test_a_person_keeps_one_color(person_id):
    assert avatar(person_id) == avatar(person_id)
    assert 0 <= avatar(person_id) < AVATAR_COLORS


def test_colors_are_spread_over_people():
    assert {avatar(f"person-{number}") for number in range(100)} == set(range(AVATAR_COLORS))


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("5555550142", "(555) 555-0142"),
        ("+1 555-555-0142", "(555) 555-0142"),
        ("1.555.555.0142", "(555) 555-0142"),
        ("+49 631 5550100", "+49 631 5550100"),
        ("DSN 314-555-0101 ", "DSN 314-555-0101"),
    ],
)
def test_telephones_are_grouped_only_where_the_groups_are_known(given_, shown):
    assert phone(given_) == shown


def test_an_identifier_on_a_screen_that_others_see_shows_only_its_end():
    assert masked("9900412387") == "••••••2387"
    assert masked("387") == "387"
