"""The operator's list is the only way out, whatever an address pretends to be."""

import pytest

from continuum.interop.subscriptions.endpoints import Allowed

LIST = Allowed("https://hooks.example.org/fhir/, http://10.0.0.5:8080, mailto:@example.org,mailto:@Clinic.Example")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://hooks.example.org/fhir/",
        "https://hooks.example.org/fhir/a/b?c=d",
        "https://hooks.example.org:443/fhir/a",
        "https://HOOKS.example.org/fhir",
        "http://10.0.0.5:8080/anything",
    ],
)
def test_what_the_list_names_may_be_called(endpoint):
    assert LIST.url(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://hooks.example.org/",
        "https://hooks.example.org/fhirx",
        "https://hooks.example.org/fhir/../admin",
        "https://hooks.example.org/fhir/%2e%2e/admin",
        "https://hooks.example.org.evil.example/fhir/",
        "https://hooks.example.org@evil.example/fhir/",
        "https://evil.example/https://hooks.example.org/fhir/",
        "https://hooks.example.org\\@evil.example/fhir/",
        "https://hooks.example.org:8443/fhir/",
        "http://hooks.example.org/fhir/",
        "http://10.0.0.5/x",
        "http://167772165:8080/x",
        "http://[::ffff:10.0.0.5]:8080/",
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "gopher://10.0.0.5:8080/",
        "https://hooks.example.org/fhir/\r\nHost: inside",
        "https://hooks.example.org/fhir/#x",
        "https://hooks.example.org:99999/fhir/",
        "//hooks.example.org/fhir/",
        "",
        " https://hooks.example.org/fhir/",
        "https://user:pass@hooks.example.org/fhir/",
        "https://hooks.ex\u0430mple.org/fhir/",
    ],
)
@pytest.mark.requirement("V1.3.6", "V13.2.4")
def test_what_it_does_not_name_may_not(endpoint):
    assert not LIST.url(endpoint)


@pytest.mark.parametrize("address", ["nurse@example.org", "a.b+c@example.org", "x@CLINIC.example"])
def test_mail_goes_to_listed_domains(address):
    assert LIST.mail(f"mailto:{address}") == address


@pytest.mark.parametrize(
    "endpoint",
    [
        "mailto:nurse@example.net",
        "mailto:nurse@sub.example.org",
        "mailto:nurse@example.org,other@example.net",
        "mailto:other@example.net,nurse@example.org",
        "mailto:nurse@example.net%0d%0aBcc:x@example.org",
        "mailto:nurse@example.org?bcc=x@example.net",
        "mailto:@example.org",
        "nurse@example.org",
        "mailto:a b@example.org",
    ],
)
def test_mail_goes_nowhere_else(endpoint):
    assert LIST.mail(endpoint) is None


@pytest.mark.parametrize("text", ["hooks.example.org", "ftp://example.org/", "mailto:nurse@example.org", "mailto:@"])
def test_a_list_that_means_nothing_is_said(text):
    with pytest.raises(ValueError, match="must list URLs"):
        Allowed(text)


def test_an_empty_list_lets_nothing_out():
    assert not Allowed("").url("https://hooks.example.org/")
    assert Allowed("").mail("mailto:a@example.org") is None
