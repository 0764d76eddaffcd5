"""Every setting, in one table: what it is called, what it means, how it is read.

A setting comes from the command line, else from the environment, else from its default.
`docs/reference/settings.md` is made from this table.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import (
    BULK_PROCESSES_MAX,
    CONNECTIONS_MAX,
    PASSWORD_MEMORY_MAX_MIB,
    PASSWORD_MEMORY_MIB,
    PASSWORD_MEMORY_MIN_MIB,
)
from continuum.runtime.sources import Allowed


class BadSetting(DomainError):
    """A setting that cannot be used, with its name and what to write instead."""

    code = "value"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `read` turns text into the value or raises ValueError with plain words."""

    field: str
    variable: str
    default: str
    meaning: str
    read: Callable[[str], Any]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f"must be a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return read


def _folder(text: str) -> Path:
    if not text or "\x00" in text:
        raise ValueError("must be the path of a folder")
    return Path(text).expanduser().absolute()


def _optional_folder(text: str) -> Path | None:
    return _folder(text) if text else None


def _optional_file(text: str) -> Path | None:
    if "\x00" in text:
        raise ValueError("must be the path of a file")
    return Path(text).expanduser().absolute() if text else None


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.strip() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.strip()

    return read


def _text(text: str) -> str:
    return text.strip()


def _host(text: str) -> str:
    host = text.strip()
    if not host or any(sign in host for sign in "/ \t"):
        raise ValueError("must be a host name or an IP address")
    return host


def _database_url(text: str) -> str:
    url = text.strip()
    if url and urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ValueError("must look like postgresql://name:password@host:5432/database")
    return url


def _base_url(text: str) -> str:
    url = text.strip().rstrip("/")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
            raise ValueError("must look like https://ehr.example.org/fhir")
    return url


def _smtp_url(text: str) -> str:
    url = text.strip()
    if url:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must look like smtp://name:password@host:587")
    return url


def _video_url(text: str) -> str:
    url = text.strip()
    if url and (urlsplit(url).scheme != "https" or "{room}" not in url or url.count("{") != 1):
        raise ValueError("must look like https://video.example.org/{room}")
    return url


def _portal_url(text: str) -> str:
    url = text.strip()
    parts = urlsplit(url)
    if url and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("must look like https://portal.example.org")
    return url


def _clamav(text: str) -> str:
    url = text.strip()
    parts = urlsplit(url)
    if url and not ((parts.scheme == "tcp" and parts.hostname) or (parts.scheme == "unix" and parts.path)):
        raise ValueError("must look like tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl")
    return url


def _log_level(text: str) -> str:
    level = text.strip().lower()
    if level.upper() not in logging.getLevelNamesMapping() or level == "notset":
        raise ValueError("must be one of debug, info, warning, error, critical")
    return level


def _sources(text: str) -> str:
    Allowed.read(text)
    return text.strip()


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "CONTINUUM_DATA", ".continuum", "The folder of this installation: its keys and, unless a database is given, its PostgreSQL data.", _folder),  # noqa: E501  a table reads best with one row a line
    Setting("database_url", "CONTINUUM_DATABASE_URL", "", "A PostgreSQL 15 or newer to use, as `postgresql://name:password@host:5432/database`. Empty: an own PostgreSQL runs in the data folder.", _database_url),  # noqa: E501  same
    Setting("host", "CONTINUUM_HOST", "127.0.0.1", "The address that the server listens on. `0.0.0.0` takes connections from other machines; put TLS in front of it.", _host),  # noqa: E501  same
    Setting("port", "CONTINUUM_PORT", "8000", "The TCP port that the server listens on.", _whole(1, 65_535)),
    Setting("base_url", "CONTINUUM_BASE_URL", "", "Where FHIR is served as clients see it, for links in answers. Empty: taken from each request's Host header.", _base_url),  # noqa: E501  same
    Setting("workers", "CONTINUUM_WORKERS", "1", "Worker processes that answer requests.", _whole(1, 64)),
    Setting("connections", "CONTINUUM_CONNECTIONS", str(CONNECTIONS_MAX), "PostgreSQL connections of one worker.", _whole(1, 200)),  # noqa: E501  same
    Setting("bulk_folder", "CONTINUUM_BULK_FOLDER", "", "Where the files of exports lie until they are fetched; servers that share a database share it too. Empty: `bulk` in the data folder.", _optional_folder),  # noqa: E501  same
    Setting("bulk_processes", "CONTINUUM_BULK_PROCESSES", "2", "Processes that work on one export or import.", _whole(1, BULK_PROCESSES_MAX)),  # noqa: E501  same
    Setting("import_sources", "CONTINUUM_IMPORT_SOURCES", "", "From where `$import` may fetch files: URLs such as `https://files.example.org/exports/`, with commas between; what lies under one of them is allowed. Empty: from nowhere.", _sources),  # noqa: E501  same
    Setting("log_level", "CONTINUUM_LOG_LEVEL", "info", "The least important events that are logged: `debug`, `info`, `warning`, `error` or `critical`.", _log_level),  # noqa: E501  same
    Setting("subscription_endpoints", "CONTINUUM_SUBSCRIPTION_ENDPOINTS", "", "Where subscriptions may send notifications: beginnings of URLs and mail domains with commas between, such as `https://hooks.example.org/,mailto:@example.org`. Empty: nowhere; websockets need no entry.", _text),  # noqa: E501  same
    Setting("smtp_url", "CONTINUUM_SMTP_URL", "", "The mail server for e-mail notifications, as `smtp://name:password@host:587` or `smtps://…`. Empty: no mail is sent.", _smtp_url),  # noqa: E501  same
    Setting("mail_from", "CONTINUUM_MAIL_FROM", "continuum@localhost", "The sender of mails.", _text),
    Setting("postgres_memory_mb", "CONTINUUM_POSTGRES_MEMORY_MB", "0", "Megabytes of memory that the embedded PostgreSQL may reckon with; 0 takes a quarter of what the machine has.", _whole(0, 1_048_576)),  # noqa: E501  same
    Setting("postgres_account", "CONTINUUM_POSTGRES_ACCOUNT", "", "When started as root: the account that the embedded PostgreSQL runs as. Empty: an account number of its own that nothing else uses.", _text),  # noqa: E501  same
    Setting("backup_folder", "CONTINUUM_BACKUP_FOLDER", "", "Where `continuum backup` writes and finds backups; best on another disk. Empty: `backups` in the data folder.", _optional_folder),  # noqa: E501  same
    Setting("backup_passphrase", "CONTINUUM_BACKUP_PASSPHRASE", "", "A passphrase (12 characters or more) that the backup key is made from. Empty: a random key in the file `keys/backup` of the data folder; keep a copy of it elsewhere.", str),  # noqa: E501  same
    Setting("password_profile", "CONTINUUM_PASSWORD_PROFILE", "nist-63b-4", "The rules for passwords: `nist-63b-4`, or `dod-stig` with composition, age, and a lock after three failures in 15 minutes.", _one_of("nist-63b-4", "dod-stig")),  # noqa: E501  same
    Setting("password_memory_mib", "CONTINUUM_PASSWORD_MEMORY_MIB", str(PASSWORD_MEMORY_MIB), "Mebibytes of memory that the hash of one password takes; less makes sign-ins cheaper on a small machine, more makes guessing dearer for whoever stole the database.", _whole(PASSWORD_MEMORY_MIN_MIB, PASSWORD_MEMORY_MAX_MIB)),  # noqa: E501  same
    Setting("banner_file", "CONTINUUM_BANNER_FILE", "", "A text file with the notice that people accept before they sign in. Empty: a notice in our own words.", _optional_file),  # noqa: E501  same
    Setting("breached_passwords_file", "CONTINUUM_BREACHED_PASSWORDS_FILE", "", "A file of passwords known from breaches, which nobody may choose: SHA-1 digests in ascending order, or up to 8 MiB of passwords, one for each line (docs/how-to/sign-people-in.md). Empty: only what is easy to guess is refused.", _optional_file),  # noqa: E501  same
    Setting("providers_file", "CONTINUUM_PROVIDERS_FILE", "", "A JSON file with other OpenID Connect providers by which people may sign in (docs/how-to/sign-people-in.md). Empty: none.", _optional_file),  # noqa: E501  same
    Setting("video_url", "CONTINUUM_VIDEO_URL", "", "Where visits by video take place, as `https://video.example.org/{room}`; the room stands for a name that cannot be guessed. Empty: the clinic tells people how to join.", _video_url),  # noqa: E501  same
    Setting("older_portal_url", "CONTINUUM_OLDER_PORTAL_URL", "https://www.tricareonline.com", "Where people of facilities that are not live yet find the older portal, which is not part of this project. Empty: they are told to call.", _portal_url),  # noqa: E501  same
    Setting("clamav", "CONTINUUM_CLAMAV", "", "A virus scanner (ClamAV) that looks at files of messages, as `tcp://127.0.0.1:3310` or `unix:///run/clamav/clamd.ctl`. Empty: files are checked for their type only.", _clamav),  # noqa: E501  same
    Setting("eligibility_contact", "CONTINUUM_ELIGIBILITY_CONTACT", "", "Whom people call about their eligibility, in words, such as `the ID card office, 555-0100`. Empty: the ID card office of their installation.", _text),  # noqa: E501  same
    Setting("archive_timeout_s", "CONTINUUM_ARCHIVE_TIMEOUT_S", "60", "Seconds after which changes are archived at the latest, once there is a backup: what a lost disk may cost.", _whole(1, 86_400)),  # noqa: E501  same
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run; `load` reads them. `database_url` may hold a password and is never printed."""

    data: Path
    database_url: str = field(repr=False)
    host: str
    port: int
    base_url: str
    workers: int
    connections: int
    bulk_folder: Path | None
    bulk_processes: int
    import_sources: str
    log_level: str
    subscription_endpoints: str
    smtp_url: str = field(repr=False)
    mail_from: str
    postgres_memory_mb: int
    postgres_account: str
    backup_folder: Path | None
    backup_passphrase: str = field(repr=False)
    password_profile: str
    password_memory_mib: int
    banner_file: Path | None
    breached_passwords_file: Path | None
    providers_file: Path | None
    video_url: str
    older_portal_url: str
    clamav: str
    eligibility_contact: str
    archive_timeout_s: int

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **given: object) -> Self:
        """Reads all settings; `given` are those of the command line by field name, None where not given.

        Raises:
            BadSetting: one cannot be used; the text names it and says what it must be.
        """
        source = os.environ if environ is None else environ
        unknown = set(given) - {setting.field for setting in SETTINGS}
        assert not unknown, f"there are no settings called {unknown}"
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            on_command_line = given.get(setting.field)
            text = source.get(setting.variable, setting.default) if on_command_line is None else str(on_command_line)
            try:
                values[setting.field] = setting.read(text)
            except ValueError as error:
                name = setting.variable if on_command_line is None else f"--{setting.field.replace('_', '-')}"
                shown = "" if setting.field in {"database_url", "smtp_url"} else f" (it is “{text}”)"
                raise BadSetting(f"{name} {error}{shown}.") from None
        return cls(**values)

    @property
    def bulk(self) -> Path:
        """The folder of exports' files, whether it was set or not."""
        return self.bulk_folder or self.data / "bulk"

    @property
    def backups(self) -> Path:
        """The folder of backups, whether it was set or not."""
        return self.backup_folder or self.data / "backups"

    @property
    def audit(self) -> Path:
        """The folder of what belongs to the audit trail and lies outside the database."""
        return self.data / "audit"
