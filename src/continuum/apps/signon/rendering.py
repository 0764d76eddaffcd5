"""Templates to HTML."""

from datetime import UTC, datetime
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(loader=PackageLoader("continuum.apps.signon"), autoescape=True, undefined=StrictUndefined)
    made.filters["moment"] = moment
    return made


def moment(us: int) -> str:
    """An instant as people read it: `23 November 2026, 10:12 UTC`."""
    at = datetime.fromtimestamp(us / 1_000_000, UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def render(template: str, **values: object) -> str:
    """A page. Whatever a template asks for and does not get is an error."""
    return _environment().get_template(template).render(**values)
