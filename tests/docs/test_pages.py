"""Pages are whole: links lead somewhere, decisions say their status, the picture speaks to everyone."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.architecture.source import ROOT, text_of, tracked

PAGES = [path for path in tracked() if path.suffix == ".md" and "tests" not in path.parts]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
PICTURE_MAX_BYTES = 150 * 1024
SVG = "{http://www.w3.org/2000/svg}"


def anchors(text: str) -> set[str]:
    """The anchors that headings make, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_inside_the_project_leads_somewhere(page):
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        found = (ROOT / page).parent / place if place else ROOT / page
        assert found.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(found.read_text()), f"{page} links to {target}"


def test_every_page_can_be_reached_from_the_readme():
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = (target.partition("#")[0] for target in LINK.findall(FENCE.sub("", page.read_text())))
        waiting += [page.parent / target for target in targets if target and not re.match(r"[a-z]+:", target)]
    of_docs = {(ROOT / page).resolve() for page in PAGES if page.parts[0] == "docs"}
    assert {str(page.relative_to(ROOT)) for page in of_docs - reached} == set()


def test_the_readme_names_its_two_commands_and_they_exist():
    readme = text_of(Path("README.md"))
    makefile = text_of(Path("Makefile"))
    for target in ("demo", "test"):
        assert f"```\nmake {target}\n```" in readme
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), flags=re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:`|^|\$ )(?:[A-Z]+=\S+ )*make ([a-z-]+)", text_of(page), flags=re.MULTILINE))
        assert named <= targets, f"{page} names make {named - targets}"


def packages(place: Path) -> set[str]:
    return {path.parent.name for path in (ROOT / place).glob("*/__init__.py")}


SOURCE = Path("src/continuum")


@pytest.mark.parametrize("place", ["", "clinical", "interop", "apps"])
def test_the_architecture_page_names_every_part(place):
    page = text_of(Path("docs/architecture.md"))
    tree = page.partition("```\nsrc/continuum/\n")[2].partition("```")[0]
    assert {name for name in packages(SOURCE / place) if f" {name}/ " not in f"{tree} "} == set()


def test_the_architecture_page_shows_the_layers_that_are_checked():
    page = text_of(Path("docs/architecture.md"))
    shown = page.partition("## The stack")[2].split("```")[1].split("\n")
    contracts = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert [line for line in shown if line] == [layer.strip("()") for layer in layers]


def test_the_readme_names_every_part_of_the_product():
    (row,) = [line for line in text_of(Path("README.md")).splitlines() if line.startswith("| `src/continuum/`")]
    assert set(re.findall(r"`(\w+)`", row)) == packages(SOURCE)


DECISIONS = [page for page in PAGES if page.parent == Path("docs/decisions") and page.name != "README.md"]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_says_its_status_and_its_date_and_is_listed(page):
    assert re.fullmatch(r"adr-(\d{2})(\d{2})-[a-z0-9-]+\.md", page.name)
    text = text_of(page)
    header = re.search(r"^Status: (.+) · \d\d(\d\d)-(\d\d)-\d\d$", text, flags=re.MULTILINE)
    assert header, "no line like `Status: accepted · 2026-11-23`"
    assert re.match(r"proposed$|accepted$|superseded by \[", header[1])
    assert page.name.startswith(f"adr-{header[2]}{header[3]}-")
    listed = text_of(Path("docs/decisions/README.md"))
    assert f"({page.name}) | {header[1].partition(' by')[0]} |" in listed


def test_pictures_of_screens_are_small_and_say_what_they_show():
    pictures = [path for path in tracked() if path.suffix == ".png" and path.parts[0] == "docs"]
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size <= PICTURE_MAX_BYTES, picture
        shown = [text for page in PAGES for text in re.findall(rf"!\[([^\]]*)\]\([^)]*{picture.name}\)", text_of(page))]
        assert shown, f"no page shows {picture}"
        assert min(len(text) for text in shown) > 20, f"{picture} needs words for those who do not see it"


def test_decisions_are_there():
    assert len(DECISIONS) >= 2


def test_the_changelog_keeps_its_form():
    text = text_of(Path("CHANGELOG.md"))
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
    kinds = set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize(
    "picture", [path for path in tracked() if path.suffix == ".svg" and path.parts[0] == "docs"], ids=str
)
def test_a_picture_speaks_to_everyone_and_has_a_dark_side(picture):
    text = text_of(picture)
    drawing = ET.fromstring(text)  # noqa: S314 - our own file
    assert drawing.get("role") == "img"
    titles = {name: drawing.find(f"{SVG}{name}") for name in ("title", "desc")}
    for name, element in titles.items():
        assert element is not None, name
        assert element.text
        assert element.get("id") in (drawing.get("aria-labelledby") or "").split()
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://(?!www\.w3\.org/)", text), "a picture loads nothing from elsewhere"
