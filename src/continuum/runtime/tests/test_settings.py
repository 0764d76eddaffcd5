"""Settings: where they come from, and what is said when one cannot be used."""

from pathlib import Path

import pytest

from continuum.runtime.settings import SETTINGS, BadSetting, Settings


def test_the_command_line_beats_the_environment_and_that_the_default():
    assert Settings.load({}).port == 8000
    assert Settings.load({"CONTINUUM_PORT": "9000"}).port == 9000
    assert Settings.load({"CONTINUUM_PORT": "9000"}, port=9001).port == 9001
    assert Settings.load({"CONTINUUM_PORT": "9000"}, port=None).port == 9000


def test_a_bad_value_is_named_with_what_it_must_be():
    with pytest.raises(BadSetting, match=r"CONTINUUM_PORT must be a whole number from 1 to 65535 \(it is “x”\)"):
        Settings.load({"CONTINUUM_PORT": "x"})
    with pytest.raises(BadSetting, match="--port must be"):
        Settings.load({}, port=0)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONTINUUM_DATABASE_URL", "mysql://x"),
        ("CONTINUUM_BASE_URL", "ehr.example.org"),
        ("CONTINUUM_LOG_LEVEL", "loud"),
        ("CONTINUUM_WORKERS", "0"),
        ("CONTINUUM_HOST", "a b"),
        ("CONTINUUM_DATA", ""),
    ],
)
def test_nonsense_is_refused(variable, value):
    with pytest.raises(BadSetting, match=variable):
        Settings.load({variable: value})


@pytest.mark.requirement("V13.3.1")
def test_a_database_password_is_in_no_error_and_no_print():
    with pytest.raises(BadSetting) as refused:
        Settings.load({"CONTINUUM_DATABASE_URL": "mysql://me:open-sesame@db/x"})
    assert "open-sesame" not in str(refused.value)
    assert "open-sesame" not in repr(Settings.load({"CONTINUUM_DATABASE_URL": "postgresql://me:open-sesame@db/x"}))


def test_every_setting_has_words_a_variable_and_a_default_that_can_be_read():
    for setting in SETTINGS:
        assert setting.meaning.endswith("."), setting.field
        assert setting.variable == f"CONTINUUM_{setting.field.upper()}"
        setting.read(setting.default)
    assert [setting.field for setting in SETTINGS] == list(Settings.__slots__)


def test_backups_lie_in_the_data_folder_unless_set():
    assert Settings.load({}, data="/srv/ehr").backups == Path("/srv/ehr/backups")
    assert Settings.load({}, data="/srv/ehr", backup_folder="/mnt/other").backups == Path("/mnt/other")
