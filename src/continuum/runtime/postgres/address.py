"""How to reach a database as one role: for asyncpg, for a URL, for PostgreSQL's own programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from continuum.kernel.errors import DomainError

_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
}


class BadAddress(DomainError):
    """A database URL that cannot be read."""

    code = "value"


@dataclass(frozen=True, slots=True)
class Address:
    """A database, a role and its password. `act_as` is a role that a connection takes on after it is made."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False, default="")
    options: Mapping[str, str] = field(default_factory=dict)
    act_as: str = ""

    @classmethod
    def from_url(cls, url: str) -> "Address":
        """Reads `postgresql://user:password@host:port/database?sslmode=require` (libpq's URI form, one host).

        Raises:
            BadAddress: it is not of that form, or has several hosts.
        """
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
            host, port = parts.hostname or "", parts.port or 5432
        except ValueError as error:
            raise BadAddress(f"The database URL cannot be read: {error}.") from None
        if parts.scheme not in {"postgres", "postgresql"} or "," in parts.netloc:
            raise BadAddress("The database URL must look like postgresql://name:password@host:5432/database.")
        user = options.pop("user", unquote(parts.username or ""))
        password = options.pop("password", unquote(parts.password or ""))
        host = options.pop("host", unquote(host)) or "localhost"
        try:
            port = int(options.pop("port", port))
        except ValueError:
            raise BadAddress("The port in the database URL must be a number.") from None
        database = options.pop("dbname", unquote(parts.path.removeprefix("/"))) or user
        act_as = options.pop("act_as", "")
        if not user:
            raise BadAddress("The database URL must name a user, as in postgresql://name:password@host/database.")
        return cls(host, port, database, user, password, options, act_as)

    @property
    def dsn(self) -> str:
        """The URL, password included; `from_url` reads it back. For libpq, use `environment`."""
        options = dict(self.options)
        if self.act_as:
            options["act_as"] = self.act_as
        login = quote(self.user, safe="") + (":" + quote(self.password, safe="") if self.password else "")
        if self.host.startswith("/"):
            place = "/"
            options = {"host": self.host, "port": str(self.port), **options}
        else:
            place = f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"
        query = "?" + urlencode(options) if options else ""
        return f"postgresql://{login}@{place}{quote(self.database, safe='')}{query}"

    @property
    def connect(self) -> dict[str, Any]:
        """Keyword arguments of `asyncpg.connect`.

        The wall around content (record/schema_access.sql) is open to a connection of ours until somebody narrows it;
        a connection that does not say so sees no content.
        """
        plain = replace(self, act_as="")
        chosen = {"role": self.act_as} if self.act_as else {}
        return {"dsn": plain.dsn, "server_settings": {"continuum.wall": "-1", **chosen}}

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for psql, pg_dump and the like, so that no password is on a command line."""
        values = {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            **self.options,
        }
        return {_LIBPQ[name]: value for name, value in values.items() if value and name in _LIBPQ}

    def to(self, database: str) -> "Address":
        """The same role in another database of the same server."""
        return replace(self, database=database)

    def shown(self) -> str:
        """For people and logs: no password."""
        where = "a unix socket" if self.host.startswith("/") else f"{self.host}:{self.port}"
        return f"database {self.database} as {self.act_as or self.user} through {where}"
