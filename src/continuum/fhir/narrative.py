"""Narrative (R4 §2.4.1): XHTML of the allowed elements that nothing can run from, however a browser reads it."""

import re
from collections.abc import Mapping
from html.entities import name2codepoint
from typing import Any
from xml.parsers import expat

_ELEMENTS = frozenset({
    "a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "center", "cite",
    "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
    "var",
})  # fmt: skip
_ADDRESSES = frozenset({"href", "src", "background", "cite", "longdesc"})
_SCHEMES = ("http:", "https:", "ftp:", "mailto:", "tel:", "urn:", "data:image/")
_ENTITIES = frozenset({*name2codepoint, "apos"})
"""The names of XHTML. HTML knows more, such as &colon;, with which an address would hide its scheme."""
_ENTITY = re.compile(r"&(\w+)").findall


class _Unsafe(Exception):
    """The narrative holds what it must not."""


def _start(name: str, attributes: Mapping[str, str]) -> None:
    if name not in _ELEMENTS:
        raise _Unsafe(name)
    for attribute, value in attributes.items():
        if attribute[:2].lower() == "on":
            raise _Unsafe(attribute)
        if attribute in _ADDRESSES or ":" in attribute:
            # Browsers leave white space and control characters out of an address before they read its scheme.
            address = "".join(one for one in value if one > " ").lower()
            scheme, colon, _ = address.partition(":")
            if colon and scheme.replace("-", "").isalnum() and not address.startswith(_SCHEMES):
                raise _Unsafe(value)
        elif attribute == "style" and ("expression(" in value.lower() or "script:" in value.lower()):
            raise _Unsafe(value)


def _comment(text: str) -> None:
    # An HTML reader ends `<!-->` and `--!>` where an XML reader goes on: what follows would run.
    if ">" in text:
        raise _Unsafe(text)


def _refuse(*_: Any) -> None:
    raise _Unsafe


def _skip(*_: Any) -> int:
    return 1


def is_xhtml(v: Any) -> bool:
    """A well-formed `div` of the elements R4 allows, without anything that runs or is read otherwise as HTML."""
    if v.__class__ is not str or not v.startswith("<div"):
        return False
    if "&" in v and not _ENTITIES.issuperset(_ENTITY(v)):
        return False
    parser = expat.ParserCreate("UTF-8")
    # Names such as &nbsp; are declared by XHTML's own DTD, which is not read: they count as declared.
    parser.UseForeignDTD(True)
    parser.ExternalEntityRefHandler = _skip
    parser.StartElementHandler = _start
    parser.CommentHandler = _comment
    parser.StartCdataSectionHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(v, True)
    except (expat.ExpatError, _Unsafe, UnicodeEncodeError):
        return False
    return True
