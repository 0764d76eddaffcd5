"""Runs a PostgreSQL that is not the embedded one, for as long as a command runs: the suite passes on both.

    python scripts/second_postgres.py pytest -n 2 -m "not proof"

The command gets the server's URL in CONTINUUM_TEST_DATABASE_URL. The server is the newest one of Debian's packages
(15 or later), on a unix socket in a folder of its own. Where there is none, and none can be installed, the command
is not run and that is said; with CONTINUUM_REQUIRE_SUITES=1 it is a failure.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from system_packages import POSTGRES_MIN_MAJOR, apt_install

START_TIMEOUT_S = 60


def programs() -> Path | None:
    """The `bin` folder of the newest server that is installed."""
    found = [
        path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if path.parent.parent.name.isdigit() and int(path.parent.parent.name) >= POSTGRES_MIN_MAJOR
    ]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def found_or_installed() -> Path | None:
    """The server's programs, installed by apt where root can do that."""
    there = programs()
    if there is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing a second PostgreSQL for the tests …")
        apt_install(["postgresql"])
        there = programs()
    return there


def main() -> int:
    """Starts the server, runs the command, stops the server; returns the command's exit code."""
    there = found_or_installed()
    if there is None:
        print("SKIPPED: there is no second PostgreSQL here (Debian package `postgresql`), so nothing ran on it.")
        return int(os.environ.get("CONTINUUM_REQUIRE_SUITES") == "1")
    folder = Path(tempfile.mkdtemp(prefix="continuum-second-"))
    password = secrets.token_hex(16)
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    (folder / "password").write_text(password + "\n")
    if account:
        for place in (folder, folder / "password"):
            os.chown(place, account.pw_uid, account.pw_gid)
    server: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(
            [there / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8",
             "--locale=C", f"--pwfile={folder / 'password'}", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **identity,  # type: ignore[call-overload]
        )  # fmt: skip
        server = subprocess.Popen(
            [there / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "jit=off",
             "-c", "max_connections=300", "-c", "log_min_messages=fatal", "-c", "wal_level=replica"],
            cwd="/", **identity,  # type: ignore[call-overload]
        )  # fmt: skip
        _wait(server, folder)
        url = f"postgresql://postgres:{password}@/postgres?host={folder}&port=5432"
        print(f"Running on {there.parent.name}: {' '.join(sys.argv[1:])}")
        done = subprocess.run(sys.argv[1:], env={**os.environ, "CONTINUUM_TEST_DATABASE_URL": url}, check=False)
        return done.returncode
    finally:
        if server is not None:
            server.terminate()
            try:
                server.wait(timeout=START_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while not (folder / ".s.PGSQL.5432").exists():
        if server.poll() is not None or time.monotonic() > end:
            raise SystemExit("The second PostgreSQL did not start.")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
