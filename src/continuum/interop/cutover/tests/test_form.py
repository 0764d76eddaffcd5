"""The form of the file: what is documented can be read, what is written can be read again, what is wrong is named."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.interop.cutover import limits
from continuum.interop.cutover.form import digest, read, written
from continuum.interop.cutover.tests.base import NOW
from continuum.kernel.errors import Invalid

PAGE = Path(__file__).parents[5] / "docs" / "reference" / "cutover-file.md"
EXAMPLE = re.search(r"```ndjson\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1].encode()
MOST = 10_000_000


def rows():
    return [json.loads(line) for line in EXAMPLE.splitlines()]


def broken(number, **said):
    """The example with other members in one row; None takes one out."""
    every = rows()
    every[number] = {name: value for name, value in {**every[number], **said}.items() if value is not None}
    return read("\n".join(map(json.dumps, every)).encode(), most_bytes=MOST)


def test_the_documented_example_is_read_and_written_again_word_for_word():
    found = read(EXAMPLE, most_bytes=MOST)
    assert not found.rejects
    (_, person), (_, visit), (_, talk) = *found.people.values(), *found.appointments, *found.threads
    again = b"".join(written(dict(found.facility), found.system, NOW, [(person, [visit], [talk])]))
    assert [json.loads(line) for line in again.splitlines()][1:] == rows()[1:]


def test_the_page_names_the_limits_that_hold():
    words = " ".join(PAGE.read_text(encoding="utf-8").split())
    for figure in (
        f"{limits.FILE_MAX_BYTES // 2**20} MiB for the command", f"{limits.UPLOAD_MAX_BYTES // 2**20} MiB for the page",
        f"{limits.ROWS_MAX:,} rows", f"{limits.MESSAGES_MAX} messages", f"{limits.FILE_TEXT_MAX_CHARS:,} characters",
        f"{limits.NAME_MAX_CHARS} characters",
    ):  # fmt: skip
        assert figure in words, figure


@pytest.mark.parametrize(
    ("number", "said", "reason"),
    [
        (1, {"born": "yesterday"}, "born is not a day"),
        (1, {"family": None}, "family is missing"),
        (2, {"status": "lost"}, "status is none of"),
        (2, {"start": "2027-01-11T09:00:00"}, "does not say its offset"),
        (2, {"end": "2027-01-11T08:00:00-05:00"}, "ends before it starts"),
        (2, {"origin": None}, "origin is missing"),
        (2, {"reason": "x" * 501}, "longer than 500"),
        (2, {"clinician": "a\u0000b"}, "signs that no text has"),
        (2, {"person": "P2"}, "not in the file"),
        (2, {"row": "prescription"}, "no rows called prescription"),
        (3, {"messages": []}, "no messages"),
        (3, {"category": "gossip"}, "category is none of"),
        (3, {"messages": [{**rows()[3]["messages"][0], "from": "team"}]}, "not of the person"),
        (3, {"messages": [rows()[3]["messages"][0]] * 2}, "in it twice"),
        (3, {"messages": [{**rows()[3]["messages"][0], "files": [{"title": "a.txt", "data": "?"}]}]}, "not base64"),
        (3, {"messages": [{**rows()[3]["messages"][0], "files": [{"title": "a.exe", "data": "TVo="}]}]}, "a file of"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_line(number, said, reason):
    found = broken(number, **said)
    assert found.rejects[0].line == number + 1
    assert reason in found.rejects[0].reason


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    with pytest.raises(Invalid):
        read(data, most_bytes=MOST)


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=5))
def test_whatever_stands_between_beginning_and_end_is_taken_or_rejected_by_line(lines):
    lines = [line for line in lines if len(line.splitlines()) == 1]
    first = EXAMPLE.splitlines()[0]
    data = b"\n".join([first, *lines, json.dumps({"row": "end", "rows": len(lines)}).encode()])
    found = read(data, most_bytes=MOST)
    assert [one.line for one in found.rejects] == list(range(2, len(lines) + 2))


def test_files_that_are_too_large_are_not_read():
    with pytest.raises(Invalid, match="larger than"):
        read(EXAMPLE, most_bytes=10)


def test_the_order_of_members_says_nothing_and_every_word_does():
    row = rows()[2]
    assert digest(row) == digest(dict(reversed(row.items())))
    assert len({digest({**row, name: "other"}) for name in row if name != "person"}) == len(row) - 1
