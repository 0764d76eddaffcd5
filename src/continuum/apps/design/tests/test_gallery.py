"""The living page holds every macro, obeys our own policy without exceptions, and is light."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from continuum.apps.design import gallery, static
from continuum.apps.design.reader import way_back
from continuum.ui import assets
from continuum.ui.limits import (
    PREFERENCES_MAX_BYTES,
)

FIRST_VISIT_MAX_BYTES = 120 * 1024
NEXT_VISIT_MAX_BYTES = 15 * 1024
PAGES = [gallery.PATH, *(f"{gallery.PATH}/{name}" for name in gallery.GROUPS)]
TEMPLATES = Path(assets.__file__).parent / "templates" / "ui"


@pytest.fixture
async def client():
    app = Starlette(
        routes=[*static.ROUTES, *gallery.routes()],
        exception_handlers=static.EXCEPTION_HANDLERS,  # type: ignore[arg-type]
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://record.example") as found:
        yield found


class Markup(HTMLParser):
    """Ids, references to ids, headings and attributes of a page."""

    VOID = frozenset({"br", "img", "input", "link", "meta", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.levels: list[int] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            self.refers += (values.get(name) or "").split()
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_well_formed_and_its_parts_refer_to_each_other(client, path, language):
    answer = await client.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    page = Markup()
    page.feed(answer.text)
    assert page.wrong == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.refers) <= set(page.ids)
    assert page.levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:], strict=False)), page.levels
    assert not [name for name, _ in page.attributes if name == "style" or name.startswith("on")]
    assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.requirement("V3.4.3")
async def test_every_page_carries_the_strict_policy(client, path):
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def macros() -> set[str]:
    text = (TEMPLATES / "all.html").read_text()
    return set(re.findall(r"{% set (\w+) =", text))


def test_every_public_macro_can_be_had_under_one_name():
    written = {
        name for path in TEMPLATES.glob("*.html") for name in re.findall(r"{% macro ([a-z]\w*)\(", path.read_text())
    }
    assert written == macros()
    assert len(written) > 30


def test_every_macro_is_shown_and_every_example_is_listed():
    listed = {example.name for _, examples in gallery.GROUPS.values() for example in examples}
    folder = Path(gallery.__file__).parent / "templates"
    assert {path.stem for path in (folder / "design" / "examples").glob("*.html")} == listed
    shown = "".join(path.read_text() for path in [*folder.glob("**/*.html"), TEMPLATES / "page.html"])
    used_inside = {"preferences", "avatar", "icon"}
    everything = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    assert {name for name in macros() - used_inside if f"ui.{name}(" not in shown} == set()
    assert all(f"{{{{ {name}(" in everything for name in used_inside)


def test_every_macro_says_what_it_is():
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text()
        comments = " ".join(re.findall(r"{#(.*?)#}", text, flags=re.DOTALL))
        for name in re.findall(r"{% macro ([a-z]\w*)\(", text):
            assert re.search(rf"\b{name}\b", comments), f"{path.name}: {name}"


async def test_the_first_visit_is_light_and_the_next_ones_are_lighter(client):
    files = 0
    for asset in assets.assets().values():
        answer = await client.get(asset.path, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200
        files += int(answer.headers["content-length"])
    for path in PAGES:
        answer = await client.get(path, headers={"accept-encoding": "gzip"})
        page = int(answer.headers["content-length"])
        assert page <= NEXT_VISIT_MAX_BYTES, path
        assert files + page <= FIRST_VISIT_MAX_BYTES, path


@pytest.mark.requirement("V4.1.1")
async def test_a_file_may_be_kept_for_ever_and_a_wrong_address_is_no_file(client):
    path = assets.address("continuum.css")
    answer = await client.get(path)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert (await client.get(path.replace(".css", "0.css"))).status_code == 404
    assert (await client.get("/ui/static/..%2f..%2fpyproject.toml")).status_code == 404
    assert (await client.get("/ui/nothing")).status_code == 404


async def test_language_colors_and_text_are_remembered(client):
    form = {"language": "es", "theme": "dark", "text": "large", "back": "/ui/forms"}
    answer = await client.post(static.PREFERENCES_PATH, data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/ui/forms"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]
    page = (await client.get("/ui/forms", headers={"accept-language": "en"})).text
    assert '<html lang="es" data-theme="dark" data-text="large">' in page


async def test_a_preference_that_we_do_not_know_is_not_kept(client):
    answer = await client.post(static.PREFERENCES_PATH, data={"language": "tlh", "theme": "\r\nx", "back": "/ui"})
    assert "set-cookie" not in answer.headers
    page = (await client.get("/ui", headers={"cookie": "language=xx; theme=pink"})).text
    assert '<html lang="en" data-theme="auto">' in page


@pytest.mark.parametrize(
    ("asked", "led"),
    [("/ui/forms", "/ui/forms"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
     ("", "/"), ("/a\r\nb", "/"), ("ui", "/")],
)  # fmt: skip
@pytest.mark.requirement("V3.7.2")
def test_the_way_back_never_leads_elsewhere(asked, led):
    assert way_back(asked) == led


async def test_a_form_of_another_site_changes_nothing(client):
    answer = await client.post(
        static.PREFERENCES_PATH, data={"theme": "dark"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_form_that_is_too_large_is_refused(client):
    for path in (static.PREFERENCES_PATH, "/ui/try/form"):
        assert (await client.post(path, content=b"a=" + b"x" * PREFERENCES_MAX_BYTES)).status_code == 413


async def test_what_was_typed_comes_back_with_what_is_wrong(client):
    answer = await client.post("/ui/try/form", data={"systolic": "12o", "arm": "tail"})
    assert answer.status_code == 422
    assert "There are 2 problems" in answer.text
    assert 'value="12o"' in answer.text
    good = await client.post("/ui/try/form", data={"systolic": "120", "arm": "left"})
    assert good.status_code == 200
    assert "The blood pressure was recorded" in good.text
    assert "There are" not in good.text


async def test_a_partial_update_gets_the_part_only(client):
    answer = await client.post("/ui/try/form", data={}, headers={"hx-request": "true"})
    assert "<html" not in answer.text
    assert answer.text.lstrip().startswith('<form id="try"')


async def test_without_the_built_files_pages_say_so(client, monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    assets.assets.cache_clear()
    assets.by_path.cache_clear()
    try:
        answer = await client.get("/ui")
        assert answer.status_code == 503
        assert "make setup-run" in answer.text
    finally:
        assets.assets.cache_clear()
        assets.by_path.cache_clear()
