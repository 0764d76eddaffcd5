"""Installs the npm packages that a folder's lock file names, for tests only: the product needs no Node.js.

    python scripts/node_packages.py tests/clients/node

Takes the machine's own `npm`; where there is none, or an old one, Node.js comes as a wheel into `.venv`
(`requirements/node.lock`). A stamp in `node_modules` makes the second run instant. Where the packages
cannot be had this says so and ends well: the tests that need them skip, or fail when suites are required.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".venv" / "bin"
NODE_MIN_MAJOR = 20
"""The oldest Node.js that the locked packages run on."""


def tool(name: str) -> str | None:
    """The path of `node` or `npm`: the machine's if it is new enough, else the wheel's, else None."""
    found = shutil.which(name)
    if found and machine_node_major() >= NODE_MIN_MAJOR:
        return found
    own = OWN / name
    return str(own) if own.exists() else None


def machine_node_major() -> int:
    """The major version of the machine's Node.js; 0 when there is none."""
    node = shutil.which("node")
    if node is None:
        return 0
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def install_node() -> bool:
    """Puts Node.js from its wheel into `.venv`; False when it cannot be had."""
    print("No npm on this machine, or one too old: installing Node.js from its wheel …")
    lock = ROOT / "requirements" / "node.lock"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


def install(folder: Path) -> bool:
    """Brings `folder/node_modules` in line with `folder/package-lock.json`; False when it cannot."""
    lock = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return True
    if tool("npm") is None and not install_node():
        return False
    npm = tool("npm")
    if npm is None:
        return False
    environment = {**os.environ, "PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    if subprocess.run([npm, "ci", *quiet], check=False, cwd=folder, env=environment).returncode != 0:
        return False
    stamp.write_text(digest)
    return True


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if not install(ROOT / name):
            print(f"The npm packages of {name} could not be installed: tests that use them will not run.")
