"""A page as an HTTP answer: its security headers, and compressed as the browser takes it."""

import gzip

import zstandard
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from continuum.ui.limits import (
    PAGE_COMPRESS_MIN_BYTES,
)
from continuum.ui.render import PAGE_HEADERS

_ZSTD_LEVEL = 3
_GZIP_LEVEL = 5


def html(request: Request, text: str, status: int = 200) -> Response:
    """A page. What is compressed may be guessed by its length, so a secret in a page must differ with each answer."""
    body = text.encode()
    headers = dict(PAGE_HEADERS)
    if len(body) >= PAGE_COMPRESS_MIN_BYTES:
        taken = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
        if "zstd" in taken:
            body = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
            headers["Content-Encoding"] = "zstd"
        elif "gzip" in taken:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
    return HTMLResponse(body, status, headers=headers)
