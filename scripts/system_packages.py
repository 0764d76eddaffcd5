"""Looks after what tests want from the operating system, beyond Python: a second PostgreSQL server and a browser.

As root on Debian or Ubuntu it installs what is missing; anywhere else it says what is missing and goes on:
the tests that need it skip with a reason, or fail when `CONTINUUM_REQUIRE_SUITES=1`. The product itself
needs nothing of this: it brings its own PostgreSQL.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

APT_TIMEOUT_S = 300
POSTGRES_MIN_MAJOR = 15
LIGHT_BROWSER = "chromium-headless-shell"
BROWSERS = (LIGHT_BROWSER, "chromium", "chromium-browser", "google-chrome")
"""Commands that tests of pages can drive, the first one found wins: Chromium without its windows takes a third of the
time.
"""
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/continuum-tests.conf")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that tests want: what for, the Debian package that brings it, and whether it is there.

    instead: another package that does, where the first cannot be had. without: what happens then. patience_s: how
    long each step of installing it may take.
    """

    what: str
    package: str
    present: bool
    instead: str = ""
    without: str = "The tests that need it will skip."
    patience_s: int = APT_TIMEOUT_S


def postgres_majors() -> list[int]:
    """Major versions of the PostgreSQL servers that the machine has, oldest first."""
    majors = [
        int(path.parent.parent.name)
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if path.parent.parent.name.isdigit()
    ]
    postgres = shutil.which("postgres")
    if postgres:
        words = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False).stdout.split()
        majors += [int(word.partition(".")[0]) for word in words if word.partition(".")[0].isdigit()]
    return sorted(set(majors))


def wanted() -> list[Wanted]:
    """Everything that tests want, with whether it is there."""
    second = bool(os.environ.get("CONTINUUM_DATABASE_URL")) or any(
        major >= POSTGRES_MIN_MAJOR for major in postgres_majors()
    )
    return [
        Wanted("a PostgreSQL server that is not the embedded one", "postgresql", second),
        _wanted_browser(),
    ]


def _wanted_browser() -> Wanted:
    what, light = "a browser for the tests of pages", shutil.which(LIGHT_BROWSER) is not None
    if browser() is None:
        return Wanted(what, LIGHT_BROWSER, present=False, instead="chromium")
    slower = "The one that is here takes three times as long."
    return Wanted(f"{what} that has no windows", LIGHT_BROWSER, present=light, without=slower, patience_s=60)


def browser() -> str | None:
    """The browser of this machine, where it has one: its path."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def apt_install(packages: list[str], timeout_s: int = APT_TIMEOUT_S) -> bool:
    """Installs Debian packages without questions and without starting a database. True when it worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if not NO_CLUSTER.exists():
        # The tests start their own servers; a cluster of the system's would only take a port and memory.
        NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        NO_CLUSTER.write_text("create_main_cluster = false\n")
    for command in (
        ["apt-get", "update", "--quiet", "--quiet"],
        ["apt-get", "install", "--yes", "--quiet", "--quiet", "--no-install-recommends", *packages],
    ):
        try:
            subprocess.run(command, check=True, env=environment, timeout=timeout_s, stdout=subprocess.DEVNULL)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failure:
            print(f"`{' '.join(command)}` did not work: {failure}")
            return False
    return True


def main() -> None:
    """Installs what is missing where that is possible, and says in plain words what stays missing."""
    missing = [item for item in wanted() if not item.present]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing for the tests: {', '.join(item.package for item in missing)} …")
        for item in missing:
            if not apt_install([item.package], item.patience_s) and item.instead:
                apt_install([item.instead], item.patience_s)
        missing = [item for item in wanted() if not item.present]
    for item in missing:
        print(f"Missing: {item.what} (Debian package `{item.package}`). {item.without}")


if __name__ == "__main__":
    main()
