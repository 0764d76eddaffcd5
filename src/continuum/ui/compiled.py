"""How templates become Python: as Jinja compiles them, without what our pages never use.

Jinja asks of each call whether the function wants the context, and makes each piece of text into an object that says it
is safe before it is joined with the others. No function of ours wants a context, and what is joined needs no objects;
both together were a fifth of the time of a page.
"""

from collections.abc import Callable, Mapping
from gettext import NullTranslations
from typing import Any

import markupsafe
from jinja2 import BytecodeCache, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup

from continuum.ui.limits import MESSAGES_KEPT_MAX

_escaped: Callable[[str], str] = getattr(markupsafe, "_escape_inner", markupsafe.escape)
"""Escapes plain text; the public function makes an object of the result, which costs ten times as much."""


def text(value: object) -> str:
    """What stands in the page for a value that is not marked as safe."""
    if type(value) is str:
        return _escaped(value)
    safe = getattr(value, "__html__", None)
    return str(safe()) if safe is not None else _escaped(str(value))


class Code(CodeGenerator):
    """Compiles templates in which everything is escaped and nothing that is called wants the context."""

    _opened = False

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802  Jinja's name
        """As Jinja's, with the name that our outputs use."""
        self.writeline("from continuum.ui.compiled import text")
        super().visit_Template(node, frame)

    def write(self, x: str) -> None:
        """As Jinja's; what comes first between brackets has no comma before it."""
        super().write(x.removeprefix(", ") if self._opened else x)
        self._opened = False

    def visit_Call(  # noqa: N802  Jinja's name
        self,
        node: nodes.Call,
        frame: Frame,
        forward_caller: bool = False,  # noqa: FBT001, FBT002  Jinja's signature
    ) -> None:
        """A plain call."""
        self.write("(")
        self.visit(node.node, frame)
        self.write(")(")
        self._opened = True
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self._opened = False
        self.write(")")

    def _output_child_pre(self, node: Any, frame: Frame, finalize: Any) -> None:  # noqa: ARG002  Jinja's signature
        assert frame.eval_ctx.autoescape, "escaping is always on"
        assert not frame.eval_ctx.volatile, "escaping is always on"
        self.write("(said if type(said := ")

    def _output_child_post(self, node: Any, frame: Frame, finalize: Any) -> None:  # noqa: ARG002  Jinja's signature
        self.write(") is Markup else text(said))")


class Once(BytecodeCache):
    """Compiles a template once, and not again for every language and every app that has it.

    Compiled templates ask for functions and filters by name, which all of our environments have alike.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Gives the code of the same text of the same file, if it was compiled."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code; there are as many templates as files."""
        self._known[bucket.key, bucket.checksum] = bucket.code


def want_no_context(known: Mapping[str, Any]) -> None:
    """Raises TypeError when a function that templates may call wants the context, which it would not be given."""
    for name, one in known.items():
        if getattr(one, "jinja_pass_arg", None) is not None:
            raise TypeError(f"{name} wants a context of Jinja, and calls of templates give none.")


def spoken(catalogue: NullTranslations) -> dict[str, Callable[..., Markup]]:
    """The functions by which templates say our messages: `_`, `gettext` and `ngettext`, like Jinja's newer style.

    What is put into a message is escaped.
    """
    finished: dict[str, Markup] = {}

    def gettext(message: str, /, **variables: Any) -> Markup:
        if variables:
            return Markup(catalogue.gettext(message)) % variables  # noqa: S704  messages are ours
        said = finished.get(message)
        if said is None:
            # A sign of percent is doubled in messages, whether they have variables or not.
            said = Markup(catalogue.gettext(message)) % {}  # noqa: S704  messages are ours
            if len(finished) < MESSAGES_KEPT_MAX:
                finished[message] = said
        return said

    def ngettext(singular: str, plural: str, number: int, /, **variables: Any) -> Markup:
        pattern = Markup(catalogue.ngettext(singular, plural, number))  # noqa: S704  messages are ours
        return pattern % {"num": number, **variables}

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}
