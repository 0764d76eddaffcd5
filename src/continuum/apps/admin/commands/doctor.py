"""`continuum doctor`."""

import json
import sys
from dataclasses import asdict

import click

from continuum.apps.admin.examining import index, messages, trail
from continuum.apps.admin.options import setting
from continuum.runtime.doctor import examine_now
from continuum.runtime.settings import Settings

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}


@click.command()
@setting("data")
@setting("database_url")
@setting("backup_folder")
@setting("port")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def command(
    data: str | None,
    database_url: str | None,
    backup_folder: str | None,
    port: str | None,
    as_json: bool,  # noqa: FBT001  click hands options over by name
) -> None:
    """Find what is wrong with an installation, and say how to mend it.

    The exit code is 0 when nothing is wrong (there may be warnings), else 1.

    \b
    Examples:
      continuum doctor
      continuum doctor --json --data /srv/continuum
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url, backup_folder=backup_folder, port=port)
    findings = examine_now(settings, trail, index, messages)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            mark, colour = _MARKS[finding.state]
            click.echo(f"{click.style(mark, fg=colour)} {finding.check}: {finding.text}")
            if finding.remedy:
                click.echo(f"    → {finding.remedy}")
    if any(finding.state == "wrong" for finding in findings):
        sys.exit(1)
