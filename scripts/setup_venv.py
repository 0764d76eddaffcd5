"""Makes `.venv` from a lock file: the one set-up step that every make target shares.

    python3 scripts/setup_venv.py run     what the product needs (make demo)
    python3 scripts/setup_venv.py dev     that, and what tests and tools need (make test)

Uses only the standard library, because it runs before anything is installed. Packages come from the
index that pip is configured for, and every one is checked against the hash in the lock file. A second
run finds its stamp and is done at once, without a network; two at the same time wait for each other.
"""

import ast
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": ROOT / "requirements" / "run.lock", "dev": ROOT / "requirements" / "dev.lock"}

OLDEST_PYTHON = 0x030B0000
"""Python 3.11, as `sys.hexversion` writes it."""

NO_PIP = """\
This Python can make no virtual environment, because its `ensurepip` is missing, and there is neither
pip nor uv to help out. One of these mends it:
    Debian, Ubuntu:   apt-get install python3-venv
    Fedora, RHEL:     dnf install python3-pip
    any system:       install uv, or a Python from its own installer
Then run the same command again."""

NOT_OURS = """\
{path} belongs to somebody else and cannot be changed by you. Remove it as its owner (often root:
`sudo rm -rf {path}`), or run this command as that user."""


def find_python() -> None:
    """Goes on with a newer interpreter of this machine where the present one is too old."""
    if sys.hexversion >= OLDEST_PYTHON:
        return
    for minor in range(15, 10, -1):
        candidate = shutil.which(f"python3.{minor}")
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            os.execv(candidate, [candidate, *sys.argv])  # noqa: S606 - the same script, no shell wanted
    sys.exit(
        f"Continuum needs Python 3.11 or newer; `{sys.executable}` is {sys.version.split()[0]}.\n"
        "If a newer one is installed elsewhere, name it: make demo PYTHON=/path/to/python3.12"
    )


def digest() -> str:
    """What the environment is made from; when it changes, the environment is brought up to date."""
    parts = [Path(__file__).read_bytes(), str(ROOT).encode(), (ROOT / "pyproject.toml").read_bytes()]
    parts += [path.read_bytes() for path in LOCKS.values()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def ready(kind: str) -> bool:
    """Whether the environment already holds what `kind` needs; `dev` holds all of `run`."""
    if not STAMP.is_file() or not PYTHON.exists():
        return False
    have, _, made_from = STAMP.read_text().strip().partition(" ")
    return made_from == digest() and have in {kind, "dev"}


def pip_settings(pip: list[str]) -> dict[str, str]:
    """The index, the extra places and the certificates that pip is told to use, as uv names them."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    found: dict[str, str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = names.get(key.rpartition(".")[2])
        if name and name not in os.environ:
            text = str(ast.literal_eval(value))
            if name == "UV_FIND_LINKS":
                text = ",".join(part for part in text.split() if "://" in part or Path(part).is_dir())
            if text:
                found[name] = text
    return found


def pinned(lock: Path, name: str) -> str:
    """The lines of one package in a lock file, hashes included."""
    block: list[str] = []
    taking = False
    for line in lock.read_text().splitlines():
        if not line.startswith((" ", "#")):
            taking = line.startswith(f"{name}==")
        if taking and not line.lstrip().startswith("#"):
            block.append(line)
    return "\n".join(block) + "\n"


def make_environment() -> tuple[list[str], dict[str, str]]:
    """Makes `.venv` with uv in it. Returns the uv to call and the environment variables to call it with."""
    own_uv = VENV / "bin" / "uv"
    with_ensurepip = importlib.util.find_spec("ensurepip") is not None
    with_pip = importlib.util.find_spec("pip") is not None
    machine_uv = shutil.which("uv")
    if not PYTHON.exists() or not (VENV / "pyvenv.cfg").exists():
        if not (with_ensurepip or with_pip or machine_uv):
            sys.exit(NO_PIP)
        print("Making .venv …")
        venv.create(VENV, with_pip=with_ensurepip, clear=True)
    has_pip = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    pip = [str(PYTHON), "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    settings = pip_settings(pip) if has_pip or with_pip else {}
    if own_uv.exists():
        return [str(own_uv)], settings
    if not has_pip and not with_pip:
        if machine_uv is None:
            sys.exit(NO_PIP)
        return [machine_uv], settings
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(pinned(LOCKS["run"], "uv"))
        wanted.flush()
        subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", wanted.name], check=True)
    return [str(own_uv)], settings


def install(kind: str) -> None:
    """Installs exactly what the lock file names, and the product itself, editable."""
    uv, settings = make_environment()
    environment = {**os.environ, **settings}
    if not os.access(Path.home(), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(ROOT / ".cache" / "uv"))
    to_us = ["--quiet", "--python", str(PYTHON)]
    print("Installing the locked packages …")
    subprocess.run(
        [*uv, "pip", "sync", *to_us, "--require-hashes", str(LOCKS[kind])],
        check=True,
        cwd=ROOT,
        env=environment,
    )
    subprocess.run(
        [*uv, "pip", "install", *to_us, "--no-deps", "--no-build-isolation", "--editable", "."],
        check=True,
        cwd=ROOT,
        env=environment,
    )


def main(arguments: list[str]) -> None:
    """Brings `.venv` up to date for `run` or `dev`; says nothing when it already is."""
    find_python()
    kind = arguments[0] if arguments else "dev"
    if kind not in LOCKS:
        sys.exit(f"Say `run` or `dev`, not `{kind}`.")
    if ready(kind):
        return
    if VENV.exists() and not os.access(VENV, os.W_OK):
        sys.exit(NOT_OURS.format(path=VENV))
    with (ROOT / "requirements" / "run.lock").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if ready(kind):
            return
        if STAMP.exists() and STAMP.read_text().startswith("dev "):
            kind = "dev"
        STAMP.unlink(missing_ok=True)
        try:
            install(kind)
        except subprocess.CalledProcessError as failure:
            sys.exit(
                f"The packages could not be installed: `{failure.cmd[0]}` ended with {failure.returncode},\n"
                "its own words are above. Is the package index reachable? Once set up, no network is needed."
            )
        STAMP.write_text(f"{kind} {digest()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
