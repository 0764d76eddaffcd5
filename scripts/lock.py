"""Writes the lock files in `requirements/` from `pyproject.toml`: exact versions and hashes, every platform.

`run.lock` is the product and what installs it; `dev.lock` adds tests and tools and never differs from
`run.lock` in a version, so that tests run what ships; `node.lock` is Node.js for machines that have none;
`cumulus.lock` is a client that has an environment of its own (`scripts/client_environment.py`).
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "run.lock": ["pyproject.toml", "--group", "build"],
    "dev.lock": ["pyproject.toml", "--group", "dev", "--constraints", "requirements/run.lock"],
    "node.lock": ["--group", "node"],
    "cumulus.lock": ["--group", "cumulus"],
}


def main() -> None:
    """Resolves each set for every platform and Python from 3.11 on; no package index is named in a file."""
    for name, sources in LOCKS.items():
        subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "compile", *sources,
                "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url",
                "--no-emit-find-links", "--python-version", "3.11", "--upgrade", "--quiet",
                "-o", f"requirements/{name}",
            ],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


if __name__ == "__main__":
    main()
