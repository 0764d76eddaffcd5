"""A walk over every address of every app: what each answer tells browsers, and that no form of elsewhere does anything.

The addresses are read from the applications themselves, so that a new one cannot be forgotten here.
"""

import re
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from continuum.apps.fhir_api.pages import pages
from continuum.apps.fhir_api.routes import ROUTES
from continuum.apps.portal.app import application as portal
from continuum.apps.signon.app import application as signon
from continuum.apps.workspace.app import application as workspace
from tests.browsing import Browser

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
PUBLIC = ("/ui/static/", "/style.css", "/signon/files/", "/signon/.well-known/", "/signon/jwks")
"""What is the same for everybody and may stay in a cache."""
STRICT = {"default-src": {"'none'"}, "frame-ancestors": {"'none'"}}
OURS = {"'none'", "'self'", "data:"}
TAKES_NO_COOKIE = {
    "/auth/token", "/signon/token", "/signon/revoke", "/signon/userinfo", "/signon/authorize", "/signon/end-session",
    "/portal/links/{address}", "/ui/preferences", "/ui/try/form",
}  # fmt: skip
"""Addresses that take a POST without the key of a form: programs show a secret or a token, the first two of pages are
sent on by GET, preferences hold how pages look, and the gallery's form does nothing."""
FHIR_PARTS = {"{type}": "Patient", "{id}": "x", "{version}": "1", "{compartment}": "Patient", "{job}": "j",
              "{file}": "f"}  # fmt: skip
_BUILT = SimpleNamespace(sign_on=SimpleNamespace(hasher=None))


class Address(NamedTuple):
    method: str
    path: str

    def filled(self) -> str:
        """With something in each place that names nothing."""
        return re.sub(r"{\w+}", "nothing", self.path)


def addresses() -> list[Address]:
    """Every address of every app, and one of each that is none."""
    apps = (pages(None), signon(_BUILT), portal(_BUILT, None), workspace(_BUILT, None))
    found = [
        Address(method, route.path)
        for app in apps for route in app.routes for method in sorted(route.methods or {"GET"}) if method != "HEAD"
    ]  # fmt: skip
    return [*found, *(Address("GET", one) for one in ("/nowhere", "/signon/nowhere", "/portal/nowhere/at/all"))]


PAGES = addresses()
FHIR = [
    Address(route.method, "/fhir" + re.sub(r"{\w+}", lambda found: FHIR_PARTS.get(found[0], "x"), route.template))
    for route in ROUTES
] + [Address("GET", one) for one in ("/fhir/.well-known/smart-configuration", "/fhir/Nonsense", "/fhir/Patient/x/y/z")]


def complaints(address, answer, *, tls=False):
    """What is missing in the headers of an answer."""
    headers, found = answer.headers, []
    parts = [part.strip().partition(" ") for part in headers.get("content-security-policy", "").split(";")]
    policy = {name: set(sources.split()) for name, _, sources in parts}
    found += [f"policy: {name}" for name, wanted in STRICT.items() if policy.get(name) != wanted]
    static = address.path.startswith("/ui/static/")
    lax = {name: value - OURS for name, value in policy.items() if name.endswith("-src") and value - OURS}
    if lax and not (static and lax == {"style-src": {"'unsafe-inline'"}}):
        found.append(f"policy: {lax}")
    if headers.get("x-content-type-options") != "nosniff":
        found.append("sniffing")
    if not static and headers.get("referrer-policy") not in ("no-referrer", "same-origin"):
        found.append("referrer")
    if not address.path.startswith(PUBLIC) and headers.get("cache-control") != "no-store":
        found.append(f"cache: {headers.get('cache-control')}")
    if answer.content and "content-type" not in headers:
        found.append("type")
    if headers.get("strict-transport-security") != ("max-age=31536000; includeSubDomains" if tls else None):
        found.append("transport")
    return [*found, *(one for cookie in headers.get_list("set-cookie") for one in loose(cookie, tls=tls))]


def loose(cookie, *, tls):
    """What a cookie lacks."""
    name, _, rest = cookie.partition("=")
    flags = {part.strip().lower() for part in rest.split(";")[1:]}
    wanted = {"httponly", "samesite=lax", "path=/", *(["secure"] if tls else [])}
    bound = not tls or name.startswith("__Host-") or name in ("language", "theme", "text")
    return [f"cookie {name}: {sorted(wanted - flags)}"] * bool(wanted - flags) + [f"cookie {name}: name"] * (not bound)


async def walked(http, among, *, tls=False, **given):
    """The addresses of which an answer lacks something, with what it lacks."""
    found = []
    for address in among:
        if address.path in ("/signon/sign-out", "/signon/end-session"):
            continue
        answer = await http.request(address.method, address.filled(), **given)
        assert answer.status_code < 500 or "xport" in address.path or "import" in address.path, (address, answer.text)
        found += [(*address, answer.status_code, one) for one in complaints(address, answer, tls=tls)]
    return found


@pytest.fixture(scope="module")
async def people(open_hospital):
    """Somebody of each kind, signed in."""
    retiree = open_hospital.persona("retiree")
    home = open_hospital.facility_of(retiree.patient_id)
    known = {
        "person": await open_hospital.person(retiree, premium=True),
        "physician": await open_hospital.member("physician", home, display="Dr. Near"),
        "administrator": await open_hospital.member("administrator", None, display="Ada Head"),
        "help-desk": await open_hospital.member("help-desk", None, display="Hella Help"),
    }
    opened = {name: await open_hospital.enter(who) for name, who in known.items()}
    yield opened
    for browser in opened.values():
        await browser.http.aclose()


async def test_nobody_is_shown_anything_without_the_headers(open_hospital):
    async with Browser(open_hospital.origin) as nobody:
        assert await walked(nobody.http, PAGES) == []


@pytest.mark.requirement("V3.4.3", "V3.4.4", "V3.4.5", "V3.4.6")
@pytest.mark.parametrize("who", ["person", "physician", "administrator", "help-desk"])
async def test_every_page_of_somebody_who_is_signed_in_has_the_headers(people, who):
    assert await walked(people[who].http, [one for one in PAGES if one.method == "GET"]) == []


@pytest.mark.requirement("V3.4.3", "V3.4.4")
async def test_every_address_of_the_interface_has_the_headers(open_hospital):
    async with Browser(open_hospital.origin) as nobody:
        assert await walked(nobody.http, FHIR) == []
    async with open_hospital.client("system") as client:
        client.base_url = open_hospital.origin
        assert await walked(client, FHIR) == []


@pytest.mark.requirement("V3.3.1", "V3.3.2", "V3.3.3", "V3.4.1")
async def test_behind_tls_everything_says_so_and_cookies_are_bound_to_the_host(another):
    with another(base_url="https://ehr.example.org/fhir", origin="https://ehr.example.org") as server:
        async with Browser(server.origin) as nobody:
            assert await walked(nobody.http, [*PAGES, *FHIR], tls=True) == []
            answer = await nobody.http.get("/signon/sign-in")
            assert answer.headers.get_list("set-cookie"), "a visit is marked"


@pytest.mark.requirement("V3.5.1", "V3.5.3")
@pytest.mark.parametrize("who", ["person", "administrator"])
async def test_every_form_without_the_key_of_its_page_is_refused(people, who):
    browser = people[who]
    other = next(one for name, one in people.items() if name != who)
    forms = [one for one in PAGES if one.method == "POST" and one.path not in TAKES_NO_COOKIE]
    assert len(forms) > 80
    for address in forms:
        for data in ({}, {"csrf": other.page.csrf}, {"csrf": "00" * 64}):
            answer = await browser.http.post(address.filled(), data=data)
            assert answer.status_code == 403, (address, data, answer.status_code)
            assert complaints(address, answer) == [], address
        headers = {"origin": "https://evil.example"}
        answer = await browser.http.post(address.filled(), data={"csrf": browser.page.csrf}, headers=headers)
        assert answer.status_code == 403, address
    await browser.get("/signon/account")
    assert browser.path == "/signon/account", "and nobody was signed out by one of them"


async def test_what_takes_no_key_is_known_by_name_and_does_nothing_for_another_site(people):
    assert {one.path for one in PAGES if one.method == "POST"} >= TAKES_NO_COOKIE
    http = people["person"].http
    answer = await http.post("/ui/preferences", data={"language": "es"}, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, answer.headers.get_list("set-cookie")) == (403, [])
    for path in ("/auth/token", "/signon/token", "/signon/revoke", "/signon/userinfo"):
        answer = await http.post(path, data={"grant_type": "client_credentials", "token": "x"})
        assert answer.status_code in (400, 401), path
    await people["person"].get("/signon/account")
    assert people["person"].path == "/signon/account"


async def test_files_of_a_record_stay_in_no_cache_and_open_as_no_page(people):
    http = people["person"].http
    for kind in ("pdf", "text", "fhir"):
        address = Address("GET", f"/portal/record/me/take-along/file?as={kind}&sections=problems")
        answer = await http.get(address.path)
        assert answer.status_code == 200, answer.text[:200]
        assert complaints(address, answer) == []
        assert answer.headers["content-disposition"].startswith("attachment")
