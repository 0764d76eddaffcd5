"""Watched over a whole run of `make test`: what only all tests together can show.

A requirement is claimed only while a test that shows it passes. Each page of each app did what it is for, and left its
trace (`tests/exchanges.py`); where tests of pages had no browser, this is not known.
"""

import os

import pytest
import security_requirements as requirements


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test shows goes along with its reports, from whichever process runs it."""
    for item in items:
        item.user_properties += [
            ("requirement", name) for mark in item.iter_markers("requirement") for name in mark.args
        ]


def pytest_configure(config: pytest.Config) -> None:
    """Begins to watch."""
    config.pluginmanager.register(_Watch(config), "claims")


def unshown(passed: set[str]) -> list[str]:
    """The requirements that are claimed and that nothing has shown."""
    return sorted(set(requirements.catalogue()["shown"]) - passed)


def is_whole(config: pytest.Config) -> bool:
    """Whether this process is told of every test of `make test`: not a part, not the second database's half."""
    return (
        not hasattr(config, "workerinput")
        and config.args_source is not pytest.Config.ArgsSource.ARGS
        and config.option.markexpr == "not proof"
        and not config.option.keyword
        and not config.option.collectonly
        and "CONTINUUM_TEST_DATABASE_URL" not in os.environ
    )


class _Watch:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._passed: set[str] = set()
        self._pages: set[str] = set()
        self._no_browser = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = report.user_properties
        if report.when == "call" and report.passed:
            self._passed |= {str(name) for kind, name in told if kind == "requirement"}
        if report.when == "teardown":
            self._pages |= {str(name) for kind, name in told if kind == "page"}
        self._no_browser |= report.skipped and report.nodeid.startswith("tests/browser/")

    @property
    def _lacking(self) -> dict[str, list[str]]:
        """What was to be shown and was not, under its heading."""
        from tests import exchanges  # with it come all apps, which most processes have no use for

        pages = [] if self._no_browser else exchanges.unused(self._pages)
        found = {
            "No test that passed shows (tests/requirements.toml)": unshown(self._passed),
            "No test uses to its end, with a row in the trace (tests/exchanges.py)": pages,
        }
        return {heading: names for heading, names in found.items() if names}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if is_whole(self._config) and exitstatus == pytest.ExitCode.OK and self._lacking:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if is_whole(self._config):
            for heading, names in self._lacking.items():
                terminalreporter.section("claimed and not shown", red=True)
                terminalreporter.line(f"{heading}: {', '.join(names)}.")
