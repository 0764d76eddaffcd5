"""Makes an environment of its own for a client that tests run, unmodified, beside the product's: `.cache/clients/NAME`.

    python scripts/client_environment.py cumulus

Some clients need packages that the product must not meet, and much disk; so they come only when their test runs.
Everything is installed from `requirements/NAME.lock`, every package held to its hash. A second run finds its stamp.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from setup_venv import pip_settings

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 600


def environment(name: str) -> Path | None:
    """The folder of the environment, made if it is not there; None when its packages cannot be had."""
    lock = ROOT / "requirements" / f"{name}.lock"
    folder = ROOT / ".cache" / "clients" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with (folder.parent / f"{name}.making").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == digest:
            return folder
        if not _install(lock, folder):
            return None
        stamp.write_text(digest)
    return folder


def _install(lock: Path, folder: Path) -> bool:
    uv = [sys.executable, "-m", "uv"]
    settings = {**os.environ, **pip_settings([sys.executable, "-m", "pip"])}
    wanted = [*uv, "pip", "sync", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes", str(lock)]
    for command in ([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], wanted):
        try:
            done = subprocess.run(command, cwd=ROOT, env=settings, check=False, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            return False
    return True


if __name__ == "__main__":
    for given in sys.argv[1:]:
        if environment(given) is None:
            sys.exit(f"The packages of requirements/{given}.lock could not be installed.")
