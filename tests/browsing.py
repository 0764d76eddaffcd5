"""A browser without JavaScript: cookies, forms with their hidden fields, redirects to the same site."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from tests import exchanges


@dataclass
class Form:
    """A form of a page: where it goes, and what it holds."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.title = ""
        self.options: list[str] = []
        self._open: list[str] = []
        self._select = ""
        self.words: list[str] = []
        self.refresh = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
            if "data-options" in given:
                self.options.append(given["data-options"])
        elif tag in ("input", "select") and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "meta" and given.get("http-equiv") == "refresh":
            self.refresh = given["content"].partition("url=")[2]
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "title" in self._open:
            self.title += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def csrf(self) -> str:
        """The value that forms of this page carry."""
        return next(form.fields["csrf"] for form in self.forms if "csrf" in form.fields)


async def _note(answer: httpx.Response) -> None:
    exchanges.note(answer.request.method, str(answer.url), answer.status_code, answer.headers)


class Browser:
    """One person's browser."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.http = httpx.AsyncClient(
            base_url=origin, timeout=30, headers={"user-agent": "Test browser"}, event_hooks={"response": [_note]}
        )
        self.answer: httpx.Response | None = None
        self.page = Page("")

    async def get(self, address: str) -> "Browser":
        """Opens an address and follows redirects, and pages that lead on, as long as they stay on this site."""
        return await self.arrive(await self.http.get(address))

    async def submit(self, action: str, **fields: str) -> "Browser":
        """Sends the form of the page with this action; `fields` are what the person fills in."""
        fitting = [one for one in self.page.forms if one.action.endswith(action) and one.fields.keys() >= fields.keys()]
        assert fitting, f"no form {action} with {list(fields)} at {self.path}: {self.page.text}"
        form = fitting[0]
        return await self.arrive(await self.http.post(form.action, data={**form.fields, **fields}))

    async def arrive(self, answer: httpx.Response) -> "Browser":
        """Follows an answer to where it leads, as long as that is on this site."""
        for _ in range(10):
            leads = answer.headers.get("location", "")
            self.page = Page(answer.text)
            target = urljoin(str(answer.url), leads or self.page.refresh)
            if not (leads or self.page.refresh) or urlsplit(target).netloc != urlsplit(self.origin).netloc:
                break
            answer = await self.http.get(target)
        self.answer = answer
        return self

    @property
    def path(self) -> str:
        """Where the browser is."""
        return self.answer.url.path

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
