"""A walk over the pages of an app: from a few first addresses along every link, one page of each kind, each judged."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from tests.routes import pattern

NARROW, WIDE = {"width": 320, "height": 700}, {"width": 1280, "height": 900}
_STILL = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  await Promise.allSettled(document.getAnimations().map((one) => one.finished));
}"""
"""Until no colour fades from light to dark any more."""
_WAYS = """() => [
  ...[...document.querySelectorAll('a[href]')].map((a) => a.href),
  ...[...document.forms].filter((one) => one.method === 'get')
    .map((one) => `${one.action}?${new URLSearchParams(new FormData(one))}`),
]"""
"""Where links lead, and forms that only ask, as they stand."""
_TELLING = frozenset({"section", "kind", "list", "folder"})
"""Parts of an address whose values make another page, unless they are ids; of other values one stands for all."""
_ID = re.compile(r"\A[0-9a-f]{8}-[0-9a-f-]{27}\Z")
_MORE_OF_IT = frozenset({"done", "from", "before", "date", "only", "code"})
"""Parts of an address that show more of the same page, or less."""


@dataclass
class Walk:
    """What one or more people have met of the pages of an app.

    routes: with their base, in the order in which the server asks them. without: those that are no pages to look at.
    """

    routes: list[str]
    without: frozenset[str]
    met: set[str] = field(default_factory=set)
    seen: set[tuple[object, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._patterns = [(path, pattern(path)) for path in self.routes]

    def key(self, address: str) -> tuple[object, ...] | None:
        """What an address is one of; None for what is not of this app or is no page."""
        split = urlsplit(address)
        for path, found in self._patterns:
            if match := found.match(split.path):
                if path in self.without:
                    return None
                query = {name: value for name, value in parse_qsl(split.query) if name not in _MORE_OF_IT}
                parts = {**match.groupdict(), **query}
                told = tuple(sorted((name, _ID.sub("id", parts[name])) for name in parts.keys() & _TELLING))
                return (path, told, tuple(sorted(query)))
        return None

    async def go(self, person, *first: str, says=()) -> None:
        """Walks on as somebody. says: what must stand on every page.

        The first addresses are looked at even where another of their kind was met: one appointment can be moved,
        another is over.
        """
        self.seen -= {self.key(address) for address in first}
        ahead = list(first)
        while ahead:
            address = ahead.pop(0)
            key = self.key(address)
            if key is None or key in self.seen:
                continue
            self.seen.add(key)
            ahead += [link for link in await self._look(person, address, says) if self.key(link) is not None]
            self.met.add(str(key[0]))

    async def _look(self, person, address: str, says) -> list[str]:
        page, sight = person.page, person.sight
        answer = await page.goto(sight.origin + address)
        assert answer is not None
        assert answer.status == 200, (address, answer.status)
        policy = answer.headers.get("content-security-policy", "")
        assert "default-src 'none'" in policy, (address, policy)
        assert "unsafe" not in policy, (address, policy)
        text = await page.inner_text("body")
        assert [words for words in says if words not in text] == [], address
        assert await page.locator("h1").count() == 1, (address, "one first heading")
        box = await page.locator("main").bounding_box()
        assert box is not None
        assert box["width"] > WIDE["width"] / 2, (address, "the page has the room that it needs")
        await person.judged()
        await page.set_viewport_size(NARROW)
        await page.emulate_media(color_scheme="dark")
        await page.evaluate(_STILL)
        await person.judged()
        await page.set_viewport_size(WIDE)
        await page.emulate_media(color_scheme="light")
        links = await page.evaluate(_WAYS)
        assert sight.complaints == [], address
        return [one.removeprefix(sight.origin).partition("#")[0] for one in links if one.startswith(sight.origin)]

    @property
    def missed(self) -> set[str]:
        """Pages that nobody came to."""
        return set(self.routes) - self.without - self.met
