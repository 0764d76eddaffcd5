"""Files of messages: what is let through, and what is not what it says."""

import io
import zipfile

import pytest

from continuum.clinical.messaging.files import EMPTY, NOT_ITSELF, NOT_OPEN, TOO_LARGE, TOO_MANY, looked_at, named
from continuum.clinical.messaging.limits import FILE_MAX_BYTES

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\n%%EOF"


def packed(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "<x/>")
    return buffer.getvalue()


GOOD = {
    "rash.png": PNG, "rash.JPG": bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\xff\xd9",
    "moves.gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "letter.pdf": PDF, "diary.txt": "Día 1: mejor\n".encode(),
    "plan.rtf": b"{\\rtf1\\ansi plan}", "old.doc": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(520),
    "old.xls": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(520), "new.docx": packed("word/document.xml"),
    "new.xlsx": packed("xl/workbook.xml"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_what_it_says_is_let_through(name):
    found, problem = looked_at([(name, GOOD[name])])
    assert problem == ""
    assert [(one.title, one.content) for one in found] == [(name, GOOD[name])]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("content", [b"MZ" + bytes(300), b"\x7fELF" + bytes(100), b"\x00\x01\x02"])
def test_a_program_under_another_name_is_not(name, content):
    assert looked_at([(name, content)]) == ([], NOT_ITSELF)


def test_a_page_that_calls_itself_a_picture_and_a_workbook_with_programs_are_not():
    assert looked_at([("x.png", b"<html><script>alert(1)</script></html>")])[1] == NOT_ITSELF
    assert looked_at([("x.docx", packed("word/document.xml", "word/vbaProject.bin"))])[1] == NOT_ITSELF
    assert looked_at([("x.docx", packed("xl/workbook.xml"))])[1] == NOT_ITSELF


@pytest.mark.parametrize("name", ["run.exe", "page.html", "picture.svg", "archive.zip", "noending", "a.pdf.js"])
def test_other_kinds_are_refused_whatever_they_hold(name):
    assert looked_at([(name, PDF)]) == ([], NOT_OPEN)


def test_sizes_and_numbers_have_their_bounds():
    assert looked_at([("a.txt", b"x")] * 5)[1] == TOO_MANY
    assert looked_at([("a.txt", b"x" * (FILE_MAX_BYTES + 1))])[1] == TOO_LARGE
    assert looked_at([("a.txt", b"x" * FILE_MAX_BYTES)])[1] == ""
    assert looked_at([("a.txt", b"x" * FILE_MAX_BYTES)] * 2)[1] == TOO_LARGE
    assert looked_at([("a.txt", b"")])[1] == EMPTY


@pytest.mark.parametrize(
    ("said", "kept"),
    [("../../etc/passwd.txt", "passwd.txt"), ("C:\\My Files\\rash.png", "rash.png"), ('a"b\r\nc.pdf', "a_b_c.pdf"),
     ("", "file"), ("x" * 300 + ".pdf", "x" * 116 + ".pdf")],
)  # fmt: skip
def test_a_name_is_a_name_and_no_path(said, kept):
    assert named(said) == kept
