from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.apps.fhir_api.headers import (
    JSON_NAMES,
    NotAcceptable,
    Preferences,
    UnsupportedMedia,
    accepted,
    accepts_json,
    etag,
    http_date,
    media_type,
    modified_since,
    none_match,
    preferences,
    require_content,
    require_json,
    version_of,
)
from continuum.kernel.errors import Malformed

JSON = frozenset(JSON_NAMES)
WIDE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/fhir+json",
        "application/json",
        WIDE,
        "application/*",
        "APPLICATION/JSON",
        "application/fhir+json; fhirVersion=4.0",
        'application/fhir+json;charset="utf-8"',
        "text/json",
        "application/fhir+xml;q=0.4, application/fhir+json;q=0.9",
    ],
)
def test_clients_that_can_take_json_get_it(accept):
    require_json(accept, None)


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "image/png",
        "text/turtle",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_clients_that_cannot_take_json_are_told_what_there_is(accept):
    with pytest.raises(NotAcceptable, match="JSON only"):
        require_json(accept, None)


def test_format_outranks_accept():
    for name in ("json", "application/json", "application/fhir+json", "application/fhir json", "text/json"):
        require_json("application/fhir+xml", name)
    for name in ("xml", "ttl", "html", "application/fhir+xml", ""):
        with pytest.raises(NotAcceptable, match="_format="):
            require_json("application/fhir+json", name)


def test_the_most_wanted_type_comes_first():
    assert [kind.name for kind in accepted("text/html;q=0.1, application/json;q=x, image/png")] == [
        "image/png",
        "text/html",
    ]


@pytest.mark.parametrize("text", ["application/fhir+json", "application/json; charset=UTF-8", "text/json"])
def test_json_bodies_are_understood(text):
    assert require_content(text, JSON) in JSON_NAMES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no Content-Type"),
        ("application/fhir+xml", "application/fhir\\+xml is not understood"),
        ("application/json; charset=latin-1", "charset is latin-1"),
        ("application/fhir+json; fhirVersion=5.0", "version 5.0"),
    ],
)
def test_other_bodies_are_refused_with_what_is_offered(text, said):
    with pytest.raises(UnsupportedMedia, match=said):
        require_content(text, JSON)


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [
        ("return=minimal", Preferences("minimal")),
        ("return=OperationOutcome, handling=lenient", Preferences("operationoutcome", lenient=True)),
        ("handling=strict; return=representation", Preferences("representation")),
        ("respond-async, return=sideways", Preferences()),
        ("", Preferences()),
    ],
)
def test_preferences_are_read_and_unknown_ones_ignored(prefer, wanted):
    assert preferences(prefer) == wanted


@given(st.integers(1, 10**9 - 1))
def test_an_etag_comes_back_as_the_version_that_it_was_made_from(version):
    tag = etag(version).decode()
    assert version_of(tag) == version_of(f'"{version}"') == version_of(str(version)) == version
    assert none_match(f'W/"999999999999", {tag}', version)


@pytest.mark.parametrize("tag", ["", "*", 'W/"a"', '"1", "2"', "-1", "1.0", 'W/"1', "W/1\n2", "9" * 40])
def test_what_is_no_etag_of_one_version_is_refused(tag):
    if tag == 'W/"1':  # a forgotten quote names its version all the same
        assert version_of(tag) == 1
    else:
        with pytest.raises(Malformed, match="If-Match must be the ETag"):
            version_of(tag)


def test_if_none_match_names_versions_or_everything():
    assert none_match("*", 3)
    assert none_match('W/"2", W/"3"', 3)
    assert not none_match('W/"2", nonsense', 3)


def test_dates_have_whole_seconds_so_a_version_is_not_newer_than_its_own_date():
    us = int(datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC).timestamp()) * 1_000_000 + 999_000
    date = http_date(us).decode()
    assert date == "Mon, 23 Nov 2026 06:00:00 GMT"
    assert not modified_since(date, us)
    assert modified_since(date, us + 1_000_000)
    assert modified_since("Mon, 23 Nov 2026 05:59:59 GMT", us)
    assert modified_since("yesterday", us)


def test_a_media_type_keeps_what_matters():
    kind = media_type("Application/FHIR+json ; charset=UTF-8; fhirVersion=4.0;q=0.5")
    assert (kind.name, kind.charset, kind.fhir_version, kind.quality) == (
        "application/fhir+json", "utf-8", "4.0", 0.5,
    )  # fmt: skip
    assert not accepts_json("application/fhir+json;q=bad")
