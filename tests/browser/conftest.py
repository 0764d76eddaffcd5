"""A real browser for the tests of pages: Debian's Chromium, driven by Playwright, with axe as the judge."""

import hashlib
import os
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import build_ui
import npm_tarballs
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from scripts import system_packages
from tests import exchanges
from tests.hospital import PASSWORD, SignIn
from tests.suites import unavailable

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
TABS_MAX = 200
SHAPE = r"""() => {
  const told = new RegExp("^(class|style|type|role|lang|dir|open|hidden|disabled|checked|required|tabindex|scope"
    + "|autocomplete|id|for|name|aria-.*)$");
  const there = /^(alt|title|placeholder|href|src|value|data-.*)$/;
  const plain = (text) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/g, "#");
  function shape(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.data.trim() ? "'" : "";
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const said = [...node.attributes].map(({ name, value }) =>
      name === "aria-label" || there.test(name) ? `${name}${value.trim() ? "+" : "-"}`
        : told.test(name) || node.localName === "meta" ? `${name}=${plain(value)}` : "");
    let inner = "", last = "";
    for (const child of node.childNodes) {
      const next = shape(child);
      if (next && next !== last) inner += (last = next);
    }
    return `<${node.localName} ${said.join(" ")}>${inner}</>`;
  }
  const all = [...document.querySelectorAll("*")], ids = all.map((one) => one.id).filter(Boolean);
  const small = [...document.querySelectorAll("a, button, input, select, summary")]
    .map((one) => one.getBoundingClientRect())
    .filter((box) => box.width && (box.width < 24 || box.height < 24)).length;
  const scrolls = all.filter(
    (one) => one.scrollHeight > one.clientHeight + 14 || one.scrollWidth > one.clientWidth + 14).length;
  const size = getComputedStyle(document.documentElement).fontSize;
  const modes = ["(prefers-color-scheme: dark)", "print"].map((one) => matchMedia(one).matches);
  const beside = [innerWidth, ...modes, size, ids.length - new Set(ids).size, small, scrolls];
  return `${beside} ${shape(document.documentElement)}`;
}"""
"""What axe judges: elements with what they say of themselves, and whether there are words, not which; rows of one make
once; at this width, in these colours, with as many small targets and places that scroll."""
NAMED = """() => {
  const e = document.activeElement;
  const words = e.labels && e.labels.length ? e.labels[0].textContent : e.getAttribute("aria-label") || e.textContent;
  return words.replace(/\\s+/g, " ").trim();
}"""
"""The name of what has the focus, as somebody hears it."""


@dataclass
class Sight:
    """An open page and everything that went wrong on it, as the browser said it.

    clean: a folder with a file for each shape in which axe found nothing, named by its hash: each is judged once,
    however many stories pass it, in whatever process of the tests.
    """

    page: Page
    context: BrowserContext
    origin: str
    clean: Path
    complaints: list[str] = field(default_factory=list)

    def failed(self, url: str, why: str | None) -> None:
        """Notes a request that failed; one that was given up because the person went on is none."""
        if why != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {url} {why}")

    async def go(self, path: str) -> None:
        await self.page.goto(self.origin + path)

    async def violations(self, axe: str) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA in what is shown now."""
        known = self.clean / hashlib.sha256((await self.page.evaluate(SHAPE)).encode()).hexdigest()
        if known.exists():
            return []
        # Evaluated by the browser's own debugger, so our policy stays as strict as it is for everyone.
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(axe)
        found: list[dict[str, Any]] = await self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
            ".then(run => run.violations)",
            RULES,
        )
        said = [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
        if not said:
            known.touch()
        return said

    async def focused(self) -> str:
        """What has the focus: `tag#id` and its words."""
        return await self.page.evaluate(
            "() => { const e = document.activeElement;"
            " return `${e.tagName.toLowerCase()}#${e.id} ${e.textContent.trim()}` }"
        )

    async def overflow_px(self) -> int:
        """How much wider than the window the page is."""
        return await self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of the session."""
    path = system_packages.browser()
    if path is None:
        unavailable("no browser on this machine (Debian package `chromium`): pages are not tested")
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=path)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, pinned."""
    pinned = build_ui.package("axe")
    path = npm_tarballs.CACHE / f"{pinned.name}-{pinned.version}.tgz"
    if not path.is_file() or not npm_tarballs.matches(path.read_bytes(), pinned):
        unavailable("axe-core is not here (`make setup-test` fetches it): accessibility is not tested")
    with tarfile.open(path) as tar:
        script = tar.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Path:
    """The folder of shapes that keep the rules: one for all processes of a run."""
    base: Path = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clean-shapes"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def look(browser, running, clean):
    """Opens a page of its own in a fresh context: `async with look(width=320, color_scheme="dark") as sight`."""

    @asynccontextmanager
    async def opened(
        *, width: int = 1280, height: int = 900, origin: str = running.origin, **options: Any
    ) -> AsyncIterator[Sight]:
        options.setdefault("locale", "en-US")
        options.setdefault(
            "reduced_motion", "reduce"
        )  # a page that still fades has other colours than it is judged for
        context = await browser.new_context(viewport={"width": width, "height": height}, **options)
        page = await context.new_page()
        sight = Sight(page, context, origin, clean)
        page.on("console", lambda said: sight.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: sight.complaints.append(str(error)))
        page.on(
            "response", lambda answer: exchanges.note(answer.request.method, answer.url, answer.status, answer.headers)
        )
        page.on("requestfailed", lambda request: sight.failed(request.url, request.failure))
        page.set_default_timeout(30_000)
        yield sight
        await context.close()

    return opened


class Person:
    """Somebody at a browser. Every page that they come to is judged."""

    def __init__(self, sight: Sight, axe: str) -> None:
        self.sight, self.page, self.axe = sight, sight.page, axe

    async def judged(self) -> None:
        """The page that is shown now keeps the rules of accessibility and fits the window."""
        path = self.page.url.removeprefix(self.sight.origin)
        assert await self.sight.violations(self.axe) == [], path
        assert await self.sight.overflow_px() <= 0, path

    async def go(self, path: str) -> None:
        await self.sight.go(path)
        if self.page.url.partition("?")[0].endswith("/notice"):
            await self.press("I have read this and agree")
        await self.judged()

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()
        # A form that asks first whether the server is there is on its way until the next page has come.
        await self.page.wait_for_function(
            "() => !document.querySelector('form[data-steady=asking], form[data-steady=sent]')"
        )
        await self.page.wait_for_load_state()

    async def choose(self, label: str) -> None:
        """Chooses a radio button or a checkbox as people do: by its words, for the box itself lies out of sight."""
        await self.page.locator("label", has_text=label).first.click()

    async def follow(self, name: str) -> None:
        await self.page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()
        await self.page.wait_for_load_state()
        await self.judged()

    async def sign_in(self, who: SignIn, to: str) -> None:
        """Signs in on the way to a page."""
        await self.go(f"/signon/sign-in?next={to}")
        await self.page.fill("#name", who.name)
        await self.page.fill("#password", PASSWORD)
        await self.press("Sign in")
        if who.seed:
            await self.page.wait_for_selector("#code")
            await self.page.fill("#code", who.code())
            await self.press("Continue")
        await self.page.wait_for_url(f"**{to}")
        await self.judged()

    async def reach(self, name: str) -> None:
        """Goes on with the Tab key, as far as a whole page is long, to the control of this name."""
        for _ in range(TABS_MAX):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate(NAMED) == name:
                return
        raise AssertionError(f"the Tab key does not lead to {name!r}")

    async def send_message(self, subject: str, text: str) -> None:
        """Fills in the form of a new message to the family's team, and sends it."""
        await self.choose("Family Health Team")
        await self.page.select_option("#category", "medication")
        await self.page.fill("#subject", subject)
        await self.page.fill("#text", text)
        await self.press("Send")
        await self.page.wait_for_url("**/thread/*")

    async def main(self) -> str:
        return await self.page.inner_text("main")


@pytest.fixture
def person(axe):
    """Makes somebody of an open page."""
    return lambda sight: Person(sight, axe)
