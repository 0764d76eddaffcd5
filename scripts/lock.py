"""Writes `requirements/dev.lock` from `pyproject.toml`: exact versions and hashes for every platform."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Resolves the product's and the development dependencies together, so that tests run what ships."""
    subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev",
            "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links",
            "--python-version", "3.11", "--upgrade", "--quiet", "-o", "requirements/dev.lock",
        ],
        check=True,
        cwd=ROOT,
    )  # fmt: skip


if __name__ == "__main__":
    main()
