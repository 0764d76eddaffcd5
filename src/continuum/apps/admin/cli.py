"""`continuum`: the command line. Each module of `commands/` is one command, found by its place."""

import importlib
import pkgutil
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import click

from continuum.apps.admin import commands
from continuum.kernel.errors import DomainError


class Commands(click.Group):
    """The modules of `continuum.apps.admin.commands`, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The names of all commands."""
        return sorted(
            module.name.rstrip("_").replace("_", "-")
            for module in pkgutil.iter_modules(commands.__path__)
            if not module.name.startswith("_")
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The `command` of the module of this name; `import` is in `import_.py`."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
        module = importlib.import_module(f"{commands.__name__}.{name if name in modules else name + '_'}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an expected refusal is said in its own words, without a traceback."""
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(str(error)) from error


def asynchronous(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Lets a click command be an `async def`."""

    @wraps(work)
    def run(*args: Any, **options: Any) -> Any:
        import asyncio  # noqa: PLC0415  many commands need none, and it takes a tenth of a second

        return asyncio.run(work(*args, **options))

    return run


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="continuum-ehr", prog_name="continuum")
def main() -> None:
    """Continuum: one health record for service members, veterans and their families.

    \b
    Examples:
      continuum demo              start a server with sample patients
      continuum serve             start a server
      continuum doctor            find what is wrong and how to mend it
    """  # noqa: D301  click's mark for a block that keeps its lines
