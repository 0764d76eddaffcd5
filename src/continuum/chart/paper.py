"""A record as PDF: tagged, so that screen readers read it in order (PDF/UA-1, checked while it is made)."""

import asyncio
import json
from functools import lru_cache
from importlib.resources import files

import typst

from continuum.chart.carrying import Document
from continuum.chart.limits import PAPERS_AT_ONCE
from continuum.kernel.errors import Busy
from continuum.ui.view import present

_at_work = 0


@lru_cache(maxsize=1)
def _template() -> bytes:
    return (files("continuum.chart") / "paper.typ").read_bytes()


async def pdf(made: Document) -> bytes:
    """The document as PDF, in the language of the page that is being made. Raises Busy."""
    global _at_work  # noqa: PLW0603  how many are being made in this process
    if _at_work >= PAPERS_AT_ONCE:
        raise Busy("Too many documents are being made at the moment; please try again.")
    _at_work += 1
    try:
        return await asyncio.to_thread(_made, _data(made, present().language))
    finally:
        _at_work -= 1


def _made(data: str) -> bytes:
    found = typst.compile(
        _template(), format="pdf", sys_inputs={"record": data}, pdf_standards=["ua-1"], ignore_system_fonts=True
    )
    assert isinstance(found, bytes), "one document is one file"
    return found


def _data(made: Document, language: str) -> str:
    return json.dumps({
        "title": made.title,
        "language": language,
        "person": made.person,
        "about": made.about,
        "footer": f"{made.person[0][1]}, {made.title}",
        "chapters": [
            {
                "title": chapter.title,
                "words": chapter.words,
                "lines": [
                    {
                        "title": line.title, "when": line.when, "marks": line.marks, "facts": line.facts,
                        "source": line.source, "paragraphs": [one for one in line.note.splitlines() if one.strip()],
                    }
                    for line in chapter.lines
                ],
            }
            for chapter in made.chapters
        ],
    })  # fmt: skip
