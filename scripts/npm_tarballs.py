"""Fetches single files out of packages of the npm registry, without Node.js: one tarball each, checked and kept.

What is fetched is pinned by its version and its digest (the registry's own `integrity`), so it does not matter
where a tarball comes from. The registry is the one that npm is configured for, else the public one.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "npm"
PUBLIC_REGISTRY = "https://registry.npmjs.org"
TIMEOUT_S = 60
TARBALL_MAX_BYTES = 32 * 1024 * 1024


class CannotFetch(Exception):
    """A tarball could not be had, or is not the one that was pinned; the text says which."""


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned package: its name as npm knows it, the version, and the sha512 of the tarball in base64."""

    name: str
    version: str
    sha512: str

    @property
    def tarball(self) -> str:
        """The tarball's place below a registry."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


def registry(environment: Mapping[str, str] = os.environ) -> str:
    """The address of the registry that npm would use here, without a slash at the end."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if environment.get(name):
            return environment[name].rstrip("/")
    for folder in (ROOT, Path(environment.get("HOME", "/nonexistent"))):
        settings = folder / ".npmrc"
        if settings.is_file():
            for line in settings.read_text(encoding="utf-8").splitlines():
                key, _, value = line.partition("=")
                if key.strip() == "registry" and value.strip():
                    return value.strip().rstrip("/")
    return PUBLIC_REGISTRY


def matches(content: bytes, package: Package) -> bool:
    """Whether a tarball is the pinned one."""
    return base64.b64encode(hashlib.sha512(content).digest()).decode() == package.sha512


def fetch(package: Package) -> Path:
    """The path of a package's tarball, fetched once; npm is asked where the plain download does not work.

    Raises:
        CannotFetch: neither way works, or what came is not what was pinned.
    """
    path = CACHE / f"{package.name.replace('/', '+')}-{package.version}.tgz"
    if path.is_file() and matches(path.read_bytes(), package):
        return path
    try:
        content = _download(f"{registry()}/{package.tarball}")
    except (OSError, urllib.error.URLError) as failure:
        content = _ask_npm(package, failure)
    if not matches(content, package):
        raise CannotFetch(f"{package.name} {package.version} is not the package that was pinned.")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as waiting:
        waiting.write(content)
    Path(waiting.name).replace(path)
    return path


def _download(address: str) -> bytes:
    if not address.startswith("https://") and not address.startswith("http://"):
        raise OSError(f"{address} is no address of the web.")
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310  the scheme was looked at above
        content: bytes = answer.read(TARBALL_MAX_BYTES + 1)
    if len(content) > TARBALL_MAX_BYTES:
        raise OSError(f"{address} is larger than {TARBALL_MAX_BYTES} bytes.")
    return content


def _ask_npm(package: Package, failure: Exception) -> bytes:
    """Npm may know of a proxy or of credentials that we do not."""
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetch(f"{package.name} {package.version} could not be downloaded: {failure}") from failure
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
        try:
            subprocess.run(
                command, cwd=folder, check=True, timeout=2 * TIMEOUT_S, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            [made] = Path(folder).glob("*.tgz")
        except (subprocess.SubprocessError, ValueError) as worse:
            raise CannotFetch(f"{package.name} {package.version} could not be downloaded: {failure}") from worse
        return made.read_bytes()


def read(package: Package, names: list[str]) -> dict[str, bytes]:
    """The contents of some files of a package, by their path inside it.

    Raises:
        CannotFetch: see `fetch`; or one of the files is not in the package.
    """
    wanted = {f"package/{name}": name for name in names}
    found: dict[str, bytes] = {}
    with tarfile.open(fetch(package)) as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.name in wanted else None
            if handle is not None:
                found[wanted[member.name]] = handle.read()
    missing = sorted(set(names) - set(found))
    if missing:
        raise CannotFetch(f"{package.name} {package.version} has no {', '.join(missing)}.")
    return found
