"""`continuum audit`: what was done with the record, verified."""

import json
import sys
from dataclasses import asdict

import asyncpg
import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from continuum.access.checkpoint import Head, Signer
from continuum.access.verification import Report, Verification
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.kernel.clock import instant
from continuum.runtime import postgres, secrets
from continuum.runtime.settings import Settings


@click.group("audit")
def command() -> None:
    """Verify the audit trail: who read and changed what.

    \b
    Examples:
      continuum audit verify
    """  # noqa: D301  click's mark for a block that keeps its lines


@command.command("verify")
@setting("data")
@setting("database_url")
@click.option("--newest", type=click.IntRange(1), help="Only this many checkpoints, the newest, and what came since.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@asynchronous
async def verify(data: str | None, database_url: str | None, newest: int | None, *, as_json: bool) -> None:
    """Find every row of the audit trail that was changed, removed, added or exchanged.

    Each row is held against its own seal, and all rows up to the last checkpoint against the chain of signed
    checkpoints. The keys lie in the data folder, outside the database. Runs beside a server; the exit code is 0
    when everything is as it was written, else 1.

    \b
    Examples:
      continuum audit verify
      continuum audit verify --newest 100 --json
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url)
    known = secrets.load(settings.data)
    checker = Signer(known.checkpoint, secrets.former(settings.data, "checkpoint")).checker
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows checked"))
    async with postgres.open(settings) as server:
        conn = await asyncpg.connect(**server.app.connect)
        try:
            with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
                task = shown.add_task("", total=None)
                verification = Verification(
                    conn, known.audit, checker, Head(settings.audit, checker),
                    lambda rows: shown.update(task, completed=rows), former=secrets.former(settings.data, "audit"),
                )  # fmt: skip
                report = await verification.run(newest=newest)
        finally:
            await conn.close()
    click.echo(json.dumps(asdict(report), indent=1) if as_json else _said(report))
    if report.found:
        sys.exit(1)


def _said(report: Report) -> str:
    until = "" if report.sealed_us is None else f", the last of {instant(report.sealed_us)}"
    lines = [f"{report.rows:,} rows checked under {report.checkpoints:,} checkpoints{until}."]
    if report.unsealed:
        lines.append(f"{report.unsealed:,} of them came after it: a change of these is found, a removal is not yet.")
    if not report.found:
        return "\n".join([*lines, "✓ Everything is as it was written."])
    lines += [f"✗ {problem}" for problem in report.problems]
    if report.found > len(report.problems):
        lines.append(f"… and {report.found - len(report.problems):,} more.")
    lines.append(
        f"{report.found:,} problems. Keep this output and the database as they are, and tell who is in charge."
    )
    return "\n".join(lines)
