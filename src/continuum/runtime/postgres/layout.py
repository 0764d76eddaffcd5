"""Where the embedded PostgreSQL keeps what: data, programs, sockets; and which account it runs as.

PostgreSQL never runs as root. Started by root, it runs under an account number of its own, and whatever that
account must reach has to lie in open folders: data under a closed one (such as /root) goes to /var/lib instead.
"""

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import SOCKET_PATH_MAX_BYTES
from continuum.runtime.postgres import binaries, elsewhere
from continuum.runtime.settings import Settings

OWN_NUMBER = 58_611
"""The account and group number that nothing else uses, for servers started by root."""
OPEN_PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108  only root makes folders there, and checks them
SOCKET_NAME = "pg/.s.PGSQL.5432"


class NoPlace(DomainError):
    """There is no safe folder for something that must have one."""

    code = "security"


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as; `maker` is an account with a name, which initdb and pg_upgrade insist on."""

    uid: int
    gid: int
    maker_uid: int
    maker_gid: int


@dataclass(frozen=True, slots=True)
class Layout:
    """data: the installation's folder. base: of clusters and logs. run: of sockets. account: None if we are it."""

    data: Path
    base: Path
    run: Path
    account: Account | None

    @property
    def moved(self) -> bool:
        """Whether the clusters lie outside the installation's folder."""
        return not self.base.is_relative_to(self.data)

    @property
    def sockets(self) -> Path:
        """PostgreSQL's socket folder: the `host` of clients."""
        return self.run / "pg"

    @property
    def spool(self) -> Path:
        """Finished WAL files wait here for the archive; while it is missing, none are kept."""
        return self.base / "wal-spool"

    @property
    def log(self) -> Path:
        """What PostgreSQL says."""
        return self.base / "postgresql.log"

    def cluster(self, major: int) -> Path:
        """The data of a major version; there only when it is whole."""
        return self.base / str(major)

    def programs(self, major: int = binaries.CURRENT) -> Path:
        """The `bin` folder, copied to where the server's account can reach it if it must be."""
        folder = binaries.installed(major)
        if self.account is None or reachable(folder):
            return folder / "bin"
        copy = self.base / f"programs-{binaries.version(folder)}"
        if not copy.exists():
            making = copy.with_name(copy.name + f".{os.getpid()}")
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(folder, making, symlinks=True)
            for place in (making, *making.rglob("*")):
                if not place.is_symlink():
                    place.chmod(0o755 if place.is_dir() or os.access(place, os.X_OK) else 0o644)
            making.rename(copy)
        return copy / "bin"


def plan(settings: Settings) -> Layout:
    """The places for a data folder, made where missing.

    Raises:
        NoPlace: a folder cannot be made, or is not safe.
    """
    data = settings.data
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoPlace(
            f"The data folder {data} cannot be made: {error.strerror}. Set CONTINUUM_DATA to another."
        ) from error
    data = data.resolve()
    root = os.geteuid() == 0
    account = _account(settings.postgres_account) if root else None
    if root:
        _open(data)
    base = data / "postgres"
    if account is not None and not reachable(data):
        base = elsewhere.base_of(data, _first_open_place())
    mode = 0o711 if root else 0o700
    _make(base, mode)
    if not base.is_relative_to(data):
        elsewhere.own(base, data)
    run = _run_folder(base, data, mode)
    _make(run / "pg", 0o700, account)
    return Layout(data, base, run, account)


def reachable(folder: Path) -> bool:
    """Whether any account may pass through the folder and all above it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


def give(folder: Path, uid: int, gid: int) -> None:
    """Makes an account the owner of a folder and everything in it."""
    os.chown(folder, uid, gid)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place) / name, uid, gid, follow_symlinks=False)


def _account(name: str) -> Account:
    maker = _named("nobody")
    if name:
        chosen = _named(name)
        if chosen.pw_uid == 0:
            raise NoPlace("PostgreSQL never runs as root. Set CONTINUUM_POSTGRES_ACCOUNT to another account.")
        return Account(chosen.pw_uid, chosen.pw_gid, chosen.pw_uid, chosen.pw_gid)
    try:
        pwd.getpwuid(OWN_NUMBER)
    except KeyError:
        return Account(OWN_NUMBER, OWN_NUMBER, maker.pw_uid, maker.pw_gid)
    raise NoPlace(
        f"The account number {OWN_NUMBER}, which the embedded PostgreSQL would run as, belongs to somebody."
        " Make an account for it and name it in CONTINUUM_POSTGRES_ACCOUNT."
    )


def _named(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise NoPlace(f"There is no account called {name} on this machine.") from None


def _open(data: Path) -> None:
    """Lets the server's account pass through a data folder of root's; what lies in it stays closed."""
    mode = stat.S_IMODE(data.stat().st_mode)
    if data.stat().st_uid == 0 and not mode & stat.S_IXOTH:
        data.chmod(mode | stat.S_IXOTH | stat.S_IXGRP)


def _first_open_place() -> Path:
    for place in OPEN_PLACES:
        if place.is_dir() and reachable(place) and os.access(place, os.W_OK):
            return place
    raise NoPlace("No folder that an unprivileged account can reach was found; set CONTINUUM_DATA to one.")


def _run_folder(base: Path, data: Path, mode: int) -> Path:
    """Beside the clusters if the path of the socket is short enough, else in a folder for run-time files."""
    candidates = [base / "run"]
    name = f"continuum-{os.geteuid()}-{elsewhere.mark(data)}"
    if "XDG_RUNTIME_DIR" in os.environ and os.geteuid() != 0:
        candidates.append(Path(os.environ["XDG_RUNTIME_DIR"]) / name)
    if os.geteuid() == 0 and Path("/run").is_dir():
        candidates.append(Path("/run") / name)
    candidates.append(Path(tempfile.gettempdir()) / name)
    for run in candidates:
        if len(os.fsencode(run / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES and run.parent.is_dir():
            _make(run, mode)
            return run
    raise NoPlace(f"The path of {base} is too long for a socket; set CONTINUUM_DATA to a shorter one.")


def _make(folder: Path, mode: int, account: Account | None = None) -> None:
    """Makes a folder of our own, or checks that the one that is there is ours and closed to writers."""
    owner = os.geteuid() if account is None else account.uid
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        pass
    except OSError as error:
        raise NoPlace(f"The folder {folder} cannot be made: {error.strerror}.") from error
    found = folder.lstat()
    if found.st_uid == os.geteuid() and account is not None:
        os.chown(folder, account.uid, account.gid)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise NoPlace(f"{folder} belongs to somebody else; remove it, or set CONTINUUM_DATA to another folder.")
    if stat.S_IMODE(found.st_mode) != mode:
        folder.chmod(mode)
