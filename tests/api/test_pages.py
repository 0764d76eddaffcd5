"""The pages beside FHIR: for people, for orchestrators, for tools."""

import asyncio
import re
from html.parser import HTMLParser

import asyncpg
import pytest

from continuum.apps.fhir_api.routes import ROUTES
from continuum.runtime.postgres.address import Address
from tests.api.conftest import outcome

pytestmark = pytest.mark.server
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Checks that elements nest, and collects what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.headings, self.attributes = [], [], [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert "style" not in attributes, "the content security policy allows no inline style"
        assert not [name for name in attributes if name.startswith("on")]
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(attributes)
        if "href" in attributes:
            self.links.append(attributes["href"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/", "/docs", "/security"])
@pytest.mark.requirement("V14.2.3")
async def test_a_page_is_plain_accessible_html_that_needs_nothing_from_elsewhere(api, running, path):
    answer = await api.get(running.origin + path)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.attributes["html"] == [{"lang": "en"}]
    assert {"title", "main", "header", "nav", "footer"} <= set(page.tags)
    assert "script" not in page.tags
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert page.links[0] == "/style.css"
    assert "#main" in page.links
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.attributes["meta"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    for link in page.links:
        if link.startswith("/"):
            found = await api.get(running.origin + link, follow_redirects=True)
            assert found.status_code == 200, link  # pages for people lead to the sign-in
            assert found.url.host == "127.0.0.1"


async def test_the_start_page_says_how_things_are_and_what_to_try(api, running):
    text = (await api.get(running.origin)).text
    assert "Everything is running" in text
    assert f"{running.origin}/fhir" in text
    assert "continuum token --as administrator" in text
    assert "curl -H" in text
    assert "/docs" in text
    for name, address in (
        ("physician", "/workspace"), ("nurse", "/workspace/corrections"), ("premium", "/portal"),
        ("mother", "/portal/family"), ("basic", "/portal"), ("registrar", "/signon/clerk/proof"),
        ("admin", "/signon/staff"),
    ):  # fmt: skip
        told = text.partition(f"<dt><code>{name}</code></dt>")[2].partition("</dd>")[0]
        assert f'href="{address}"' in told, name


async def test_the_documentation_page_lists_every_route(api, running):
    text = (await api.get(f"{running.origin}/docs")).text
    for route in ROUTES:
        assert f"<code>{route.template}</code>" in text
        assert route.summary.replace("'", "&#39;") in text


async def test_the_style_follows_the_readers_scheme_and_small_screens(api, running):
    answer = await api.get(f"{running.origin}/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in answer.text
    assert not re.search(r"(?<!max-)width:\s*\d{4,}px", answer.text)
    assert "url(" not in answer.text


async def test_the_openapi_document_names_this_server(api, running):
    document = (await api.get(f"{running.origin}/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": f"{running.origin}/fhir"}]


async def test_a_request_whose_database_goes_away_is_told_so_and_the_next_is_answered(another, running, test_server):
    with another(connections=1) as server:
        async with server.client() as client:
            connection = await asyncpg.connect(**test_server.maker.to(Address.from_url(running.owner).database).connect)
            try:
                await connection.execute("BEGIN; LOCK TABLE record.resource IN ACCESS EXCLUSIVE MODE")
                waiting = asyncio.create_task(client.get("/Patient/x"))
                while not waiting.done():  # what the server does by itself may wait for the lock, too
                    await connection.fetch(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
                        " AND relation = 'record.resource'::regclass"
                    )
                    await asyncio.sleep(0.02)
                lost = outcome(await waiting, 503)
                assert lost["code"] == "transient"
                assert "whether a change was kept is not known" in lost["diagnostics"]
            finally:
                await connection.execute("ROLLBACK")
                await connection.close()
            outcome(await client.get("/Patient/x"), 404)


async def test_health_follows_the_database(api, running, another):
    assert (await api.get(f"{running.origin}/livez")).text == "alive\n"
    assert (await api.get(f"{running.origin}/readyz")).text == "ready\n"
    with another(connections=1) as server:
        async with server.client() as client:
            busy = Address.from_url(running.owner)
            connection = await asyncpg.connect(**busy.connect)
            try:
                # The worker's only connection waits for this lock, so nothing can answer for the database.
                await connection.execute("BEGIN; LOCK TABLE record.resource IN ACCESS EXCLUSIVE MODE")
                waiting = asyncio.create_task(client.get("/Patient/x"))
                answer = await client.get(f"{server.origin}/readyz")
                while answer.status_code == 200:
                    answer = await client.get(f"{server.origin}/readyz")
                assert answer.status_code == 503
                assert "not ready" in answer.text
                assert (await client.get(f"{server.origin}/livez")).status_code == 200
                assert "the database does not" in (await client.get(server.origin)).text
            finally:
                await connection.execute("ROLLBACK")
                await connection.close()
            outcome(await waiting, 404)
            assert (await client.get(f"{server.origin}/readyz")).status_code == 200
