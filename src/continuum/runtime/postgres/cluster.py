"""Making the data of an embedded PostgreSQL, once and whole, and writing its configuration at each start."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from continuum.kernel.errors import DomainError
from continuum.runtime.keeper.sweep import end_workers, sweep
from continuum.runtime.postgres import binaries, tuning
from continuum.runtime.postgres.layout import Account, Layout, give
from continuum.runtime.postgres.roles import APP, DATABASE, OWNER, SUPERUSER
from continuum.runtime.secrets import Secrets, sync_folder
from continuum.runtime.settings import Settings

INITDB_TIMEOUT_S = 300


class CannotPrepare(DomainError):
    """One of PostgreSQL's programs failed; its own words follow."""

    code = "exception"


def run(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    timeout_s: float,
    said: str = "",
    environment: Mapping[str, str] | None = None,
    cwd: Path = Path("/"),
) -> str:
    """Runs one of PostgreSQL's programs as the account that makes data; returns what it printed.

    Raises:
        CannotPrepare: it failed or took too long.
    """
    identity: dict[str, Any] = (
        {} if account is None else {"user": account.maker_uid, "group": account.maker_gid, "extra_groups": []}
    )
    try:
        done = subprocess.run(  # noqa: S603  our own programs
            [str(part) for part in command],
            input=said,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            cwd=cwd,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
            umask=0o077,
            **identity,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotPrepare(f"{Path(command[0]).name} could not be run: {error}.") from error
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip().splitlines()[-12:]
        raise CannotPrepare(f"{Path(command[0]).name} failed:\n" + "\n".join(words))
    return str(done.stdout)


def make(layout: Layout, secrets: Secrets, *, major: int = binaries.CURRENT) -> None:
    """Makes an empty cluster with our roles and database, and puts it in its place when it is whole."""
    making = layout.base / f"{major}.making"
    clear(making)
    initialise(layout, secrets, making, major=major)
    statements = [
        f"CREATE ROLE {OWNER} LOGIN PASSWORD '{secrets.password(OWNER)}'",
        f"CREATE ROLE {APP} LOGIN PASSWORD '{secrets.password(APP)}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}",
    ]
    run(
        [layout.programs(major) / "postgres", "--single", "-j", "-D", making, "template1"],
        account=layout.account,
        timeout_s=INITDB_TIMEOUT_S,
        said="".join(f"{statement};\n\n" for statement in statements),
    )
    install(layout, making, major)


def initialise(
    layout: Layout,
    secrets: Secrets,
    folder: Path,
    *,
    major: int = binaries.CURRENT,
    checksums: bool = True,
) -> None:
    """Runs initdb into a folder that does not exist yet; it belongs to the making account afterwards."""
    folder.mkdir(mode=0o700)
    password = folder.with_name(folder.name + ".password")
    password.unlink(missing_ok=True)
    descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.password(SUPERUSER) + "\n")
    if layout.account is not None:
        for place in (folder, password):
            os.chown(place, layout.account.maker_uid, layout.account.maker_gid)
    switch = ["--data-checksums"] if checksums else ["--no-data-checksums"] if major >= 18 else []
    try:
        run(
            [
                layout.programs(major) / "initdb", "-D", folder, "-U", SUPERUSER, "--auth=scram-sha-256",
                f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-instructions", *switch,
            ],
            account=layout.account,
            timeout_s=INITDB_TIMEOUT_S,
        )  # fmt: skip
    finally:
        password.unlink(missing_ok=True)


def install(layout: Layout, making: Path, major: int) -> None:
    """Puts a whole cluster in its place, in one step."""
    if layout.account is not None:
        give(making, layout.account.uid, layout.account.gid)
    making.rename(layout.cluster(major))
    sync_folder(layout.base)


def _unless_gone(_: object, __: str, failure: tuple[type[BaseException], BaseException, object]) -> None:
    """Raises what kept something from being removed, but not that its owner, who is ending, was quicker."""
    if not isinstance(failure[1], FileNotFoundError):
        raise failure[1]


def clear(folder: Path) -> None:
    """Removes what a killed maker left, and ends what still works in it."""
    end_workers(folder)
    if folder.exists():
        sweep(folder, wait_s=0)
        shutil.rmtree(folder, onerror=_unless_gone)


def configure(layout: Layout, settings: Settings, major: int = binaries.CURRENT) -> None:
    """Writes the configuration of a cluster that does not run."""
    folder = layout.cluster(major)
    for name, text in (
        ("postgresql.conf", tuning.configuration(layout, settings, major)),
        ("pg_hba.conf", tuning.access_rules()),
    ):
        making = folder / f"{name}.making"
        making.write_text(text, encoding="utf-8")
        making.chmod(0o600)
        if layout.account is not None:
            os.chown(making, layout.account.uid, layout.account.gid)
        making.rename(folder / name)
