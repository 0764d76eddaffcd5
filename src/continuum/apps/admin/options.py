"""Options that several commands share; each is a setting, and left out it comes from the environment."""

from collections.abc import Callable
from typing import Any

import click

from continuum.runtime.settings import SETTINGS

_BY_FIELD = {setting.field: setting for setting in SETTINGS}


def setting(field: str, *, help_text: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--field` of a setting, with the words of the settings' table."""
    found = _BY_FIELD[field]
    shown = help_text or found.meaning.replace("`", "")
    return click.option(
        f"--{field.replace('_', '-')}", field, default=None, help=f"{shown} [environment: {found.variable}]"
    )
