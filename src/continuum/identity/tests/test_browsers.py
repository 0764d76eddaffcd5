"""Browsers are told by the names that people know."""

import pytest

from continuum.identity.browsers import told


@pytest.mark.parametrize(("agent", "words"), [
    ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome, Linux"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari, iPhone"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox, Mac"),
    ("curl/8.5.0", "curl/8.5.0"),
    ("", ""),
])  # fmt: skip
def test_a_browser_is_told_by_its_name_and_system(agent, words):
    assert told(agent) == words


@pytest.mark.requirement("V1.3.3")
def test_an_endless_name_is_cut():
    assert told("x" * 5_000) == "x" * 80
