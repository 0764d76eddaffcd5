"""The file that goes between portals: lines of JSON with a beginning, rows and an end. Pure: bytes in, rows out.

`docs/reference/cutover-file.md` describes it; a test holds both together.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from continuum.clinical.messaging.files import looked_at
from continuum.clinical.messaging.limits import FILES_MAX
from continuum.clinical.messaging.model import CATEGORIES
from continuum.interop.cutover.limits import FILE_TEXT_MAX_CHARS, MESSAGES_MAX, NAME_MAX_CHARS, ROWS_MAX
from continuum.kernel.errors import Invalid

FORM, VERSION = "continuum-cutover", 1
MEDIA_TYPE = "application/x-ndjson"
STATUSES = ("booked", "cancelled", "fulfilled", "noshow")
"""States of an appointment that travel (R4 AppointmentStatus)."""
STATES = ("open", "answered", "closed")
"""States of a conversation."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be taken. line: from 1. reason: a message of ours."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file that was read.

    people, appointments, threads: each row with its line; appointments and threads name their person by key.
    """

    facility: Mapping[str, Any]
    system: str
    sha256: str
    people: Mapping[str, tuple[int, Row]] = field(default_factory=dict)
    appointments: Sequence[tuple[int, Row]] = ()
    threads: Sequence[tuple[int, Row]] = ()
    rejects: Sequence[Reject] = ()

    def of(self, person: str) -> tuple[list[Row], list[Row]]:
        """The appointments and threads of one person."""
        return [one for _, one in self.appointments if one["person"] == person], [
            one for _, one in self.threads if one["person"] == person
        ]


class _Wrong(Exception):
    """What is wrong with a row."""


def digest(row: Mapping[str, Any]) -> str:
    """What a row says, in 64 digits; whose it is and in what order its members stand does not count."""
    plain = {name: value for name, value in row.items() if name != "person"}
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def written(
    facility: Mapping[str, str], system: str, made: datetime, people: Iterable[tuple[Row, Sequence[Row], Sequence[Row]]]
) -> Iterator[bytes]:
    """The lines of a file. people: each with their appointments and threads."""
    count = 0
    yield _line({
        "row": "begin", "form": FORM, "version": VERSION, "facility": dict(facility), "system": system,
        "made": made.isoformat(timespec="seconds"),
    })  # fmt: skip
    for person, appointments, threads in people:
        for one in (person, *appointments, *threads):
            count += 1
            yield _line(one)
    yield _line({"row": "end", "rows": count})


def _line(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def read(data: bytes, *, most_bytes: int) -> Content:
    """Reads a file; rows that cannot be taken are rejected one by one.

    Raises:
        Invalid: it is none of these files, too large, of a version that we do not know, or cut off.
    """
    if len(data) > most_bytes:
        raise Invalid(f"The file is larger than {most_bytes // 1024 // 1024} MiB.")
    lines = data.splitlines()
    if not lines:
        raise Invalid("The file is empty.")
    if len(lines) - 2 > ROWS_MAX:
        raise Invalid(f"The file has more than {ROWS_MAX} rows. Please export it in parts.")
    begin, end = _json(lines[0]), _json(lines[-1])
    if begin is None or begin.get("row") != "begin" or begin.get("form") != FORM:
        raise Invalid("This is not a cutover file: its first line does not say so.")
    if begin.get("version") != VERSION:
        raise Invalid(f"This file is of version {begin.get('version')}; version {VERSION} can be read here.")
    if end is None or end.get("row") != "end" or end.get("rows") != len(lines) - 2:
        raise Invalid("The file ends too early: its last line does not count its rows. Please export it again.")
    system, facility = begin.get("system"), begin.get("facility")
    if not isinstance(system, str) or not system or len(system) > NAME_MAX_CHARS or not isinstance(facility, dict):
        raise Invalid("The first line does not say from which system and facility the file is.")
    return _content(facility, system, hashlib.sha256(data).hexdigest(), lines[1:-1])


def _content(facility: Row, system: str, sha256: str, lines: Sequence[bytes]) -> Content:
    people: dict[str, tuple[int, Row]] = {}
    kept: dict[str, list[tuple[int, Row]]] = {"appointment": [], "thread": []}
    rejects: list[Reject] = []
    seen: set[tuple[str, str, str]] = set()
    for number, line in enumerate(lines, start=2):
        try:
            row = _row(line, system)
            _fits(row, people, seen)
        except _Wrong as wrong:
            rejects.append(Reject(number, str(wrong)))
            continue
        if row["row"] == "person":
            people[row["key"]] = (number, row)
        else:
            kept[row["row"]].append((number, row))
    return Content(facility, system, sha256, people, kept["appointment"], kept["thread"], rejects)


def _fits(row: Row, people: Mapping[str, object], seen: set[tuple[str, str, str]]) -> None:
    """Whether a row may stand where it stands."""
    if row["row"] == "person":
        if row["key"] in people:
            raise _Wrong("this person is in the file twice")
        return
    if row["person"] not in people:
        raise _Wrong("its person is not in the file, or only after it")
    named = (row["row"], row["origin"]["system"], row["origin"]["key"])
    if named in seen:
        raise _Wrong("its origin is in the file twice")
    seen.add(named)


def _json(line: bytes) -> Row | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _row(line: bytes, system: str) -> Row:
    said = _json(line)
    if said is None:
        raise _Wrong("it is not an object of JSON")
    reader = _READERS.get(str(said.get("row")))
    if reader is None:
        raise _Wrong(f"there are no rows called {str(said.get('row'))[:20]}")
    return reader(said, system)


def _text(said: Row, name: str, *, most: int = NAME_MAX_CHARS, needed: bool = False) -> str:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise _Wrong(f"{name} is not a text")
    if len(value) > most:
        raise _Wrong(f"{name} is longer than {most} characters")
    if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in value):
        raise _Wrong(f"{name} has signs that no text has")
    if needed and not value.strip():
        raise _Wrong(f"{name} is missing")
    return value


def _moment(said: Row, name: str) -> str:
    text = _text(said, name, needed=True)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"{name} is not an instant such as 2027-01-04T09:30:00-05:00") from None
    if moment.tzinfo is None:
        raise _Wrong(f"{name} does not say its offset from UTC")
    return text


def _one_of(said: Row, name: str, words: Iterable[str]) -> str:
    value = _text(said, name, needed=True)
    if value not in words:
        raise _Wrong(f"{name} is none of {', '.join(words)}")
    return value


def _origin(said: Row, system: str) -> dict[str, str]:
    origin = said.get("origin")
    if not isinstance(origin, dict):
        raise _Wrong("origin is missing")
    return {"system": _text(origin, "system") or system, "key": _text(origin, "key", needed=True)}


def _person(said: Row, _: str) -> Row:
    born = _text(said, "born", needed=True)
    try:
        date.fromisoformat(born)
    except ValueError:
        raise _Wrong("born is not a day such as 1989-09-03") from None
    return {
        "row": "person", "key": _text(said, "key", needed=True), "dod_id": _text(said, "dod_id"),
        "family": _text(said, "family", needed=True), "given": _text(said, "given"), "born": born,
    }  # fmt: skip


def _appointment(said: Row, system: str) -> Row:
    start, end = _moment(said, "start"), _moment(said, "end")
    if datetime.fromisoformat(end) <= datetime.fromisoformat(start):
        raise _Wrong("it ends before it starts")
    return {
        "row": "appointment", "person": _text(said, "person", needed=True), "origin": _origin(said, system),
        "status": _one_of(said, "status", STATUSES), "start": start, "end": end, "kind": _text(said, "kind"),
        "clinician": _text(said, "clinician"), "place": _text(said, "place"), "reason": _text(said, "reason", most=500),
    }  # fmt: skip


def _thread(said: Row, system: str) -> Row:
    messages = said.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _Wrong("it has no messages")
    if len(messages) > MESSAGES_MAX:
        raise _Wrong(f"it has more than {MESSAGES_MAX} messages")
    found = [_message(one, system) for one in messages]
    if len({(one["origin"]["system"], one["origin"]["key"]) for one in found}) < len(found):
        raise _Wrong("a message is in it twice")
    if found[0]["from"] != "person":
        raise _Wrong("its first message is not of the person")
    return {
        "row": "thread", "person": _text(said, "person", needed=True), "origin": _origin(said, system),
        "subject": _text(said, "subject", needed=True), "category": _one_of(said, "category", tuple(CATEGORIES)),
        "team": _text(said, "team"), "state": _one_of(said, "state", STATES), "messages": found,
    }  # fmt: skip


def _message(said: object, system: str) -> Row:
    if not isinstance(said, dict):
        raise _Wrong("a message is not an object")
    files = said.get("files", [])
    if not isinstance(files, list) or len(files) > FILES_MAX:
        raise _Wrong(f"a message has more than {FILES_MAX} files")
    found = _files([_file(one) for one in files])
    return {
        "origin": _origin(said, system), "sent": _moment(said, "sent"),
        "from": _one_of(said, "from", ("person", "team")), "name": _text(said, "name", needed=True),
        "text": _text(said, "text", most=FILE_TEXT_MAX_CHARS, needed=True), "files": found,
    }  # fmt: skip


def _file(said: object) -> tuple[str, bytes]:
    if not isinstance(said, dict):
        raise _Wrong("a file is not an object")
    try:
        return _text(said, "title", needed=True), b64decode(said.get("data", ""), validate=True)
    except (NotBase64, TypeError, ValueError):
        raise _Wrong("the data of a file is not base64") from None


def _files(given: Sequence[tuple[str, bytes]]) -> list[Row]:
    """The same rules as for files that people attach; the type follows from the content, whatever the file says."""
    kept, problem = looked_at(given)
    if problem:
        raise _Wrong(f"a file of a message: {problem}")
    return [{"title": one.title, "type": one.media_type, "data": b64encode(one.content).decode()} for one in kept]


_READERS: Mapping[str, Callable[[Row, str], Row]] = {
    "person": _person, "appointment": _appointment, "thread": _thread,
}  # fmt: skip
