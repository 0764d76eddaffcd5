"""A requirement is claimed only while a test that shows it passes: watched over a whole run of `make test`."""

import os

import pytest
import security_requirements as requirements

_PASSED = pytest.StashKey[set[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test shows goes along with its reports, from whichever process runs it."""
    for item in items:
        item.user_properties += [
            ("requirement", name) for mark in item.iter_markers("requirement") for name in mark.args
        ]


def pytest_configure(config: pytest.Config) -> None:
    """Begins to watch."""
    config.stash[_PASSED] = set()
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

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._config.stash[_PASSED] |= {str(name) for kind, name in report.user_properties if kind == "requirement"}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if is_whole(self._config) and exitstatus == pytest.ExitCode.OK and unshown(self._config.stash[_PASSED]):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if is_whole(self._config) and (missing := unshown(self._config.stash[_PASSED])):
            terminalreporter.section("claimed and not shown", red=True)
            terminalreporter.line(f"No test that passed shows {', '.join(missing)} (tests/requirements.toml).")
