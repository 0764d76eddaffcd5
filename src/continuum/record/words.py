"""The words by which a resource is found: `:text` of a parameter, `_content` of all its text, `_text` of its narrative.

A text is filed once where it says most: under the parameters that it stands beside, else under the content. `_content`
asks for both and for the narrative, so that nothing has to be filed twice.
"""

import re
from html import unescape
from typing import Any

from continuum.fhir.index import Index
from continuum.fhir.search_params import TEXTS
from continuum.kernel.limits import TEXT_CACHED_CHARS, WORDS_MAX
from continuum.record.keys import TypeKeys

_TAG = re.compile(r"<[^>]*>")


def file_words(resource: dict[str, Any], index: Index, mine: TypeKeys, wanted: set[int]) -> None:
    """Adds the keys of the words of a resource."""
    most = len(wanted) + WORDS_MAX
    told = index.texts
    for pair in told:
        wanted.update(mine.texts[pair] if len(pair[1]) <= TEXT_CACHED_CHARS else mine.text_keys(pair))
        if len(wanted) > most:
            break
    named = {text for _, text in told}
    for text in texts_of(resource):
        if text not in named and len(wanted) <= most:
            wanted.update(mine.content[text] if len(text) <= TEXT_CACHED_CHARS else mine.content_keys(text))
    narrative = narrative_of(resource)
    if narrative:
        wanted.update(mine.narrative_keys(narrative)[:WORDS_MAX])


def texts_of(resource: dict[str, Any]) -> list[str]:
    """All text for people in a resource, but its narratives."""
    found: list[str] = []
    nodes = [resource]
    for node in nodes:
        for name, value in node.items():
            kind = value.__class__
            if kind is str:
                if name in TEXTS:
                    found.append(value)
            elif kind is dict:
                nodes.append(value)
            elif kind is list:
                for one in value:
                    if one.__class__ is dict:
                        nodes.append(one)
                    elif one.__class__ is str and name in TEXTS:
                        found.append(one)
    return found


def narrative_of(resource: dict[str, Any]) -> str:
    """The narrative without its markup."""
    narrative = resource.get("text")
    if narrative.__class__ is not dict:
        return ""
    return unescape(_TAG.sub(" ", narrative.get("div", "")))
