"""Files of messages: what may be sent, told by its content and not by its name. Pure."""

import io
import re
import zipfile
from collections.abc import Sequence

import puremagic

from continuum.chart.entry import N_
from continuum.clinical.messaging.limits import FILE_MAX_BYTES, FILE_NAME_MAX_CHARS, FILES_MAX, FILES_MAX_BYTES
from continuum.clinical.messaging.workflows import Sent

_OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = {
    "pdf": "application/pdf", "png": "image/png", "gif": "image/gif", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "jfif": "image/jpeg", "txt": "text/plain; charset=utf-8", "rtf": "application/rtf", "doc": "application/msword",
    "xls": "application/vnd.ms-excel", "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
}  # fmt: skip
"""What may be sent: by the end of its name, what it is served as."""
ACCEPT = ",".join(f".{one}" for one in TYPES)
_BEGINS = {"doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}
_HOLDS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
TOO_MANY = N_("A message can have four files.")
TOO_LARGE = N_("A file can have 6 megabytes, and all files of a message together 10.")
EMPTY = N_("A file is empty.")
NOT_OPEN = N_("Files can be PDF, pictures (PNG, JPEG, GIF), text (TXT, RTF), Word and Excel.")
NOT_ITSELF = N_("A file is not what its name says, or is damaged. Please save it again in its own program.")
_ODD = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")


def named(name: str) -> str:
    """A file's name as it is kept: the last part of a path, nothing that a disk or a header could misread."""
    plain = _ODD.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(plain) <= FILE_NAME_MAX_CHARS:
        return plain or "file"
    stem, _, ending = plain.rpartition(".")
    return f"{stem[: FILE_NAME_MAX_CHARS - len(ending) - 1]}.{ending}"


def looked_at(files: Sequence[tuple[str, bytes]]) -> tuple[list[Sent], str]:
    """Files as (name, content): those that may be sent, and what stands against them in words of ours, or ""."""
    if len(files) > FILES_MAX:
        return [], TOO_MANY
    if sum(len(content) for _, content in files) > FILES_MAX_BYTES:
        return [], TOO_LARGE
    found = []
    for name, content in files:
        if problem := _problem(name, content):
            return [], problem
        plain = named(name)
        found.append(Sent(plain, TYPES[_ending(plain)], content))
    return found, ""


def _ending(name: str) -> str:
    return name.rpartition(".")[2].casefold()


def _problem(name: str, content: bytes) -> str:
    ending = _ending(named(name))
    if ending not in TYPES:
        return NOT_OPEN
    if not content:
        return EMPTY
    if len(content) > FILE_MAX_BYTES:
        return TOO_LARGE
    return "" if is_what_it_says(ending, content) else NOT_ITSELF


def is_what_it_says(ending: str, content: bytes) -> bool:
    """Whether a file's content is what the end of its name says."""
    if ending == "txt":
        return _is_text(content)
    if ending in _BEGINS:
        return content.startswith(_BEGINS[ending])
    if ending in _HOLDS:
        return _holds(content, _HOLDS[ending])
    try:
        types = {one.mime_type for one in puremagic.magic_string(content)[:3]}
    except (puremagic.PureError, ValueError):
        return False
    return TYPES[ending] in types or (ending == "rtf" and content.startswith(b"{\\rtf"))


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _holds(content: bytes, member: str) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return False
    return member in names and not any(name.endswith("vbaProject.bin") for name in names)
