"""Templates to text: one environment for each language, escaping always on, and the headers that pages go out with."""

import contextvars
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from jinja2.runtime import Context
from markupsafe import Markup, escape

from continuum.ui import assets
from continuum.ui.compiled import Code, Once, spoken, want_no_context
from continuum.ui.formats import names, quantities, times
from continuum.ui.language import translations
from continuum.ui.paging import links
from continuum.ui.view import LANGUAGES, THEMES, View, present, showing

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": under it browsers say `Origin: null` of our own forms, and those would look foreign.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Accept-Language, Cookie, HX-Request",
}
"""On every page: scripts and styles only as files of ours, nothing kept in a cache."""


def _time(written: times.Written) -> Markup:
    return Markup(f'<time datetime="{escape(written.machine)}">{escape(written.text)}</time>')  # noqa: S704  both escaped


def _day(value: date | str) -> Markup:
    return _time(times.day(value, present().language))


def _weekday(value: date) -> str:
    return times.weekday(value, present().language)


def _there(value: datetime) -> ZoneInfo:
    return value.tzinfo if isinstance(value.tzinfo, ZoneInfo) else present().zone


def _instant_there(value: datetime) -> Markup:
    """An instant by the clock of its place, which is named: where somebody has to be at that hour."""
    return _time(times.instant(value, present().language, _there(value)))


def _zone_there(value: datetime) -> str:
    """The name of the zone of a place, where it is not the reader's; else nothing."""
    zone = _there(value)
    return "" if zone.key == present().zone.key else times.zone_name(value, present().language, zone)


def _instant(value: datetime | str) -> Markup:
    return _time(times.instant(value, present().language, present().zone))


def _moment(us: int) -> Markup:
    return _instant(datetime.fromtimestamp(us / 1_000_000, UTC))


def _age(birth: date | str) -> str:
    return times.age(birth, present().today, present().language)


def _number(value: Decimal | float) -> str:
    return quantities.number(value, present().language)


def _quantity(value: Decimal | float, unit: str, comparator: str = "") -> str:
    return quantities.quantity(value, unit, present().language, comparator)


def _bounds(low: Decimal | float | None, high: Decimal | float | None, unit: str) -> str:
    return quantities.bounds(low, high, unit, present().language)


def _month_names() -> list[str]:
    names_by_number = get_month_names("wide", "stand-alone", locale=times.locale_of(present().language))
    return [names_by_number[number] for number in range(1, 13)]


def _ties(name: str, hint: str, error: str, *, group: bool = False) -> dict[str, str | None]:
    """The attributes that tie a field, or a group of fields, to its hint and its error."""
    described = [f"{name}-{part}" for part, text in (("hint", hint), ("error", error)) if text]
    return {"aria-describedby": " ".join(described) or None, "aria-invalid": "true" if error and not group else None}


FILTERS: Mapping[str, Callable[..., Any]] = {
    "age": _age,
    "avatar": names.avatar,
    "day": _day,
    "full_name": names.full_name,
    "initials": names.initials,
    "instant": _instant,
    "instant_there": _instant_there,
    "zone_there": _zone_there,
    "listed_name": names.listed_name,
    "masked": names.masked,
    "moment": _moment,
    "number": _number,
    "phone": names.phone,
    "weekday": _weekday,
}
"""What templates may say after a bar; all know the language and the zone of the page."""
GLOBALS: Mapping[str, Any] = {
    "asset": assets.address,
    "bounds": _bounds,
    "languages": LANGUAGES,
    "month_names": _month_names,
    "page_links": links,
    "quantity": _quantity,
    "themes": THEMES,
    "ties": _ties,
    "unit_name": quantities.unit,
    "view": present,
}


class Pages:
    """The templates of some packages, over those of the design system.

    Args:
        packages: each has a folder `templates`; what is in several is taken from the first.
    """

    def __init__(self, *packages: str) -> None:
        loader = ChoiceLoader([PackageLoader(name) for name in (*packages, "continuum.ui")])
        self._environments = {language: environment_of(loader, language) for language in LANGUAGES}

    def render(self, name: str, view: View, /, **values: Any) -> str:
        """A template as text, for one reader."""
        with showing(view):
            return rendered(self._environments[view.language].get_template(name), values)


_CONTEXTS = "_contexts"
"""The name under which the contexts of one page find the list of them."""


class _Context(Context):
    """A context that can be taken apart once its page is written.

    Macros that are imported with the context hold it, and it holds them. Such a circle keeps all that a page was made
    of until the collector comes, which then stops everybody: for 40 to 130 ms after 20 pages of results.
    """

    def __init__(self, environment: Environment, parent: dict[str, Any], *rest: Any, **more: Any) -> None:
        super().__init__(environment, parent, *rest, **more)
        made = parent.get(_CONTEXTS)
        if made is not None:
            made.append(self)


def rendered(template: Template, values: Mapping[str, Any]) -> str:
    """A template with these values as text, of which nothing stays behind."""
    made: list[_Context] = []
    try:
        return template.render({**values, _CONTEXTS: made})
    finally:
        for one in made:
            one.vars.clear()
            one.blocks.clear()
            one.parent = {}


class _Environment(Environment):
    """Compiles templates where nobody reads: what they write of a constant may differ for the next reader."""

    def _generate(self, *template: Any, **more: Any) -> str:
        return contextvars.Context().run(super()._generate, *template, **more)


_ONCE = Once()


def environment_of(loader: BaseLoader, language: str) -> Environment:
    """The environment of one language."""
    environment = _Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_ONCE,
        extensions=["jinja2.ext.i18n"],
    )
    environment.context_class = _Context
    environment.code_generator_class = Code
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.filters.update(FILTERS)
    environment.globals.update(GLOBALS)
    environment.globals.update(spoken(translations(language)))
    want_no_context(environment.globals)
    return environment
