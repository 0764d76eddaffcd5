"""The notice before sign-in, as an operator gives it."""

from pathlib import Path

from continuum.identity.limits import BANNER_MAX_BYTES
from continuum.kernel.errors import DomainError


class BadBanner(DomainError):
    """The operator's notice cannot be used; the text says why."""

    code = "value"


def read_banner(path: Path | None) -> str:
    """The operator's notice, byte for byte; "" without a file.

    Raises:
        BadBanner: the file cannot be read, is not UTF-8, is empty or too long.
    """
    if path is None:
        return ""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadBanner(f"The notice before sign-in cannot be read from {path}: {error}.") from error
    if not text.strip() or len(content) > BANNER_MAX_BYTES:
        raise BadBanner(f"The notice in {path} must have 1 to {BANNER_MAX_BYTES} bytes of text.")
    return text
