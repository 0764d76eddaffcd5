"""Makes `.venv` from the lock file: the one set-up step that `make demo` and `make test` share.

Uses only the standard library, because it runs before anything is installed. Wheels come from the
package index that pip is configured for, and every one is checked against the hash in the lock file.
"""

import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def main() -> None:
    """Creates the environment if it is missing and installs exactly what the lock file names."""
    python = VENV / "bin" / "python"
    if not python.exists():
        print("Creating .venv …")
        venv.create(VENV, with_pip=True)
    print("Installing the locked packages …")
    if not (VENV / "bin" / "uv").exists():
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    uv = [python, "-m", "uv", "pip"]
    locked = ["--require-hashes", "requirements/dev.lock"]
    subprocess.run([*uv, "sync", "--quiet", "--python", python, *locked], check=True, cwd=ROOT)
    ours = ["--no-deps", "--no-build-isolation", "--editable", "."]
    subprocess.run([*uv, "install", "--quiet", "--python", python, *ours], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
