"""Takes the rules that are wanted out of the compiled style sheet of the U.S. Web Design System."""

import base64
import re
from typing import Any

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

_CLASS = re.compile(r"\.((?:\\.|[A-Za-z0-9_-])+)")
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}\b|(?<![\w-])(?:white|black)(?![\w-])")
_IMAGE = re.compile(r'url\("\.\./(img/[^")]+)"\)')
_FAMILY = re.compile(r"Source Sans Pro Web, ?[^;}]*?sans-serif|Merriweather Web, ?[^;}]*?serif")
_NESTING = {"media", "supports"}


class UnknownColor(Exception):
    """A rule that is kept has a colour without a name; dark would not know it."""


def subset(css: str, wanted: dict[str, Any], images: dict[str, bytes]) -> str:
    """The wanted rules, with colours as custom properties and images inside.

    Args:
        css: the compiled style sheet, not minified.
        wanted: `classes` to keep, selectors to go `without`, `colors` (hexadecimal → name).
        images: what `url("../…")` names, relative to the style sheet's parent.

    Raises:
        UnknownColor: a kept colour has no name.
    """
    keep = frozenset(wanted["classes"])
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    text = "".join(_kept(rules, keep, tuple(wanted["without"])))
    text = _named(_FAMILY.sub("var(--font)", text), wanted["colors"])
    return _IMAGE.sub(lambda found: _inline(images[found[1]]), _squeeze(text))


def _kept(rules: list[Node], keep: frozenset[str], without: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            selectors = [part.strip() for part in _split(tinycss2.serialize(rule.prelude))]
            chosen = [one for one in selectors if set(_CLASS.findall(one)) <= keep and not one.startswith(without)]
            if chosen:
                found.append(f"{','.join(chosen)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif isinstance(rule, AtRule) and rule.at_keyword in _NESTING and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            kept = "".join(_kept(inner, keep, without))
            if kept:
                found.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}")
    return found


def _split(selectors: str) -> list[str]:
    """A list of selectors at its commas, but not at those inside brackets."""
    parts, depth, begin = [], 0, 0
    for place, sign in enumerate(selectors):
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(selectors[begin:place])
            begin = place + 1
    return [*parts, selectors[begin:]]


def _named(text: str, colors: dict[str, str]) -> str:
    """Colours as custom properties; white is ink on a button and paper everywhere else."""

    def declaration(found: re.Match[str]) -> str:
        prop, value = found[1], found[2]

        def name(color: re.Match[str]) -> str:
            given = color[0].lower()
            if given in {"white", "#fff", "#ffffff"}:
                return "var(--on-accent)" if prop in {"color", "fill"} else "var(--paper)"
            if given in {"black", "#000"}:
                return "var(--ink)"
            if given not in colors:
                raise UnknownColor(f"{given} in `{prop}: {value}` has no name in [css.colors].")
            return f"var(--{colors[given]})"

        return f"{prop}:{_COLOR.sub(name, value)}"

    return re.sub(r"(?<=[{;\s])([a-z-]+)\s*:\s*([^;{}]+)(?=[;}])", declaration, text)


def _inline(svg: bytes) -> str:
    return f'url("data:image/svg+xml;base64,{base64.b64encode(svg.strip()).decode()}")'


def _squeeze(text: str) -> str:
    """Without the spaces that mean nothing."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s*([{};])\s*", r"\1", text)
    return text.replace(";}", "}").strip() + "\n"
