"""Style sheet, scripts and icons: read once, compressed once, served under addresses that change with them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import zstandard

from continuum.ui.language import BUILT, NotBuilt

HERE = Path(__file__).resolve().parent
STATIC_PATH = "/ui/static/"
SHEETS = (
    "tokens", "base", "shell", "forms", "feedback", "content", "charts", "chart", "portal", "messages", "cutover",
    "print",
)  # fmt: skip
"""Our own style sheets, in the order in which they follow the system's."""
MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as browsers get it: its address, its type, and its bytes in three encodings."""

    path: str
    media_type: str
    plain: bytes
    gzip: bytes
    zstd: bytes

    def encoded(self, accept_encoding: str) -> tuple[bytes, str]:
        """The bytes to send and their Content-Encoding, "" for none, of what a browser takes."""
        taken = {part.partition(";")[0].strip() for part in accept_encoding.lower().split(",")}
        if "zstd" in taken:
            return self.zstd, "zstd"
        return (self.gzip, "gzip") if "gzip" in taken else (self.plain, "")


def _asset(name: str, content: bytes) -> Asset:
    stem, _, kind = name.rpartition(".")
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(
        path=f"{STATIC_PATH}{stem}.{digest}.{kind}",
        media_type=MEDIA_TYPES[kind],
        plain=content,
        gzip=gzip.compress(content, 9, mtime=0),
        zstd=zstandard.ZstdCompressor(level=19).compress(content),
    )


def _built(name: str) -> bytes:
    try:
        return (BUILT / name).read_bytes()
    except FileNotFoundError:
        raise NotBuilt("The design system is not built in this clone; `make setup-run` does it.") from None


def _own(folder: str, name: str) -> bytes:
    return (HERE / folder / name).read_bytes()


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Every asset by its short name, such as `continuum.css`.

    There are `continuum.css`, `continuum.js`, `workspace.js`, `messages.js`,
    `htmx.js`, `icons.svg`, `mark.svg`.

    Raises:
        NotBuilt: what comes from elsewhere is not there.
    """
    sheets = [_own("styles", "tokens.css"), _built("uswds.css")]
    sheets += [_own("styles", f"{name}.css") for name in SHEETS[1:]]
    contents = {
        "continuum.css": b"\n".join(sheets),
        "continuum.js": _own("scripts", "continuum.js"),
        "workspace.js": _own("scripts", "workspace.js"),
        "messages.js": _own("scripts", "messages.js"),
        "htmx.js": _built("htmx.js"),
        "icons.svg": _built("icons.svg"),
        "mark.svg": _own("styles", "mark.svg"),
    }
    return {name: _asset(name, content) for name, content in contents.items()}


@lru_cache(maxsize=1)
def by_path() -> dict[str, Asset]:
    """Every asset by its address.

    Raises:
        NotBuilt: see `assets`.
    """
    return {asset.path: asset for asset in assets().values()}


def address(name: str) -> str:
    """The address of an asset, by its short name."""
    return assets()[name].path
