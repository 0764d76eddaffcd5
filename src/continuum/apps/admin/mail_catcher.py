"""The demo's mail server: takes every mail, keeps it as a file, passes none on."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import time_ns
from typing import Any

from aiosmtpd.controller import Controller

MAILS_KEPT = 200
"""The newest ones; older files go."""
MAIL_MAX_BYTES = 1_000_000


class _Keeping:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002  aiosmtpd's name
        to = "".join(sign if sign.isalnum() or sign in "@.-" else "_" for sign in envelope.rcpt_tos[0])[:80]
        (self._folder / f"{time_ns()}-{to}.eml").write_bytes(envelope.original_content)
        for old in sorted(self._folder.glob("*.eml"))[:-MAILS_KEPT]:
            old.unlink(missing_ok=True)
        return "250 kept"


@contextmanager
def catching(folder: Path) -> Iterator[str]:
    """Takes mails while the context is open; gives the address as `smtp://127.0.0.1:port`.

    folder: for the mails, one file each, for its owner alone.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(socket.socket()) as probe:
        # aiosmtpd cannot say which port it was given, so one that is free is asked for by its number.
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(_Keeping(folder), hostname="127.0.0.1", port=port, data_size_limit=MAIL_MAX_BYTES)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
