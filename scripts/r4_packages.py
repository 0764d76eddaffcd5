"""Fetches the published FHIR packages that the definitions are compiled from, through npm, into `.cache/`.

Development only: what is compiled from them ships in the wheel, so the product never needs this.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "packages"
SHA256 = {
    "hl7.fhir.r4.examples@4.0.1": "dce87f1b5b9341867033f7d1f544fa1b5232503f6d62813887ac6b8a8b6cb682",
    "hl7.fhir.r4.expansions@4.0.1": "18b2b00a6e26328bdbe4b2e273de5be32dfce21be37e0f582d18882bbce24e69",
}


def npm() -> list[str]:
    """The npm to call: the machine's own, else the one of the development wheel."""
    found = shutil.which("npm") or str(ROOT / ".venv" / "bin" / "npm")
    return [found]


def fetch(package: str) -> Path:
    """The path of a package's tarball, checked against its pinned digest; fetched once."""
    name, _, version = package.partition("@")
    path = CACHE / f"{name}-{version}.tgz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([*npm(), "pack", "--silent", package], cwd=CACHE, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256[package]:
        raise SystemExit(f"{path} is not the package that was pinned (sha256 {digest}).")
    return path


def texts(package: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Each (file name, JSON text) of a package whose name begins with `prefix`."""
    with tarfile.open(fetch(package)) as tar:
        for member in tar:
            name = Path(member.name).name
            if name.endswith(".json") and name.startswith(prefix):
                handle = tar.extractfile(member)
                if handle is not None:
                    yield name, handle.read()


def files(package: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each (file name, parsed JSON) of a package whose name begins with `prefix`."""
    for name, text in texts(package, prefix):
        yield name, json.loads(text)
