"""The eight pieces: in both languages, for every facility, readable by everybody, and true."""

import ast
import itertools
import re
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from continuum.adoption.facilities import described
from continuum.adoption.limits import FACILITY_NAME_MAX_CHARS
from continuum.adoption.pieces import LANGUAGES, PIECES, Facility, claims, made, preview, texts
from continuum.kernel.errors import Invalid

ROOT = Path(__file__).resolve().parents[4]
PORTAL = "https://ehr.example.org/portal"
USUAL = Facility("Harborview Naval Hospital", "200 Mercy Circle, San Diego, CA 92134", "555-0117", PORTAL,
                 date(2027, 1, 4))  # fmt: skip
LONG = Facility(
    "Brigadier General Margaret Alexandra Featherstonehaugh-Montgomery Memorial Regional Medical Center (synthetic)",
    "12000 Northwest Veterans Memorial Parkway, Building 4400, Joint Base Elmendorf-Richardson, AK 99506",
    "907-555-0117",
    "https://portal.health-records-of-the-region.example.org/portal", date(2027, 9, 30),
)  # fmt: skip
SIZES = {"letter": (612, 792), "landscape": (792, 612), "postcard": (432, 288), "tabloid": (792, 1224)}
EVERY = list(itertools.product(PIECES.values(), LANGUAGES))


def read(content, tmp_path):
    path = tmp_path / "piece.pdf"
    path.write_bytes(content)
    return PdfReader(path)


def plain(reader):
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


@pytest.mark.parametrize(("piece", "language"), EVERY, ids=lambda one: getattr(one, "key", one))
@pytest.mark.parametrize("facility", [USUAL, LONG], ids=["usual", "long"])
def test_a_piece_says_whose_it_is_and_keeps_to_its_paper(piece, language, facility, tmp_path):
    reader = read(made(piece, facility, language), tmp_path)
    assert len(reader.pages) == piece.pages
    for page in reader.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == SIZES[piece.format]
    words = plain(reader)
    together = re.sub(r"[\s\xad-]", "", words)
    for fact in (facility.name, facility.phone, facility.portal.partition("//")[2]):
        assert re.sub(r"[\s-]", "", fact) in together, fact
    if "{day}" in str(texts(language)[piece.key]):
        assert str(facility.day.year) in words


@pytest.mark.parametrize(("piece", "language"), EVERY, ids=lambda one: getattr(one, "key", one))
def test_a_screen_reader_finds_language_title_headings_and_words_for_every_picture(piece, language, tmp_path):
    reader = read(made(piece, USUAL, language), tmp_path)
    catalog = reader.trailer["/Root"]
    assert catalog["/Lang"].startswith(language)
    assert catalog["/MarkInfo"]["/Marked"]
    assert reader.metadata.title == texts(language)[piece.key]["title"]
    assert "pdfuaid" in reader.xmp_metadata.stream.get_data().decode()
    kinds, figures = [], []

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            for one in node:
                walk(one)
        elif isinstance(node, dict) and "/S" in node:
            kinds.append(node["/S"])
            if node["/S"] == "/Figure":
                figures.append(node.get("/Alt", ""))
            if "/K" in node:
                walk(node["/K"])

    walk(catalog["/StructTreeRoot"]["/K"])
    headings = [kind for kind in kinds if re.fullmatch(r"/H[1-6]", kind)]
    assert headings[:1] == ["/H1"]
    assert headings.count("/H1") == 1
    assert figures
    assert all("ehr.example.org/portal" in words for words in figures)


@pytest.mark.parametrize("piece", PIECES.values(), ids=lambda one: one.key)
def test_for_a_printer_there_is_bleed_around_and_the_words_are_the_same(piece, tmp_path):
    office, printer = (read(made(piece, USUAL, "en", printer=one), tmp_path) for one in (False, True))
    wide, high = SIZES[piece.format]
    assert (round(printer.pages[0].mediabox.width), round(printer.pages[0].mediabox.height)) == (wide + 54, high + 54)
    assert plain(office).split() == plain(printer).split()


@pytest.mark.parametrize("piece", PIECES.values(), ids=lambda one: one.key)
def test_the_code_leads_to_the_portal(piece):
    document = pypdfium2.PdfDocument(made(piece, USUAL, "en"))
    found = set()
    for number in range(len(document)):
        picture = document[number].render(scale=3, grayscale=True).to_pil()
        found |= {one.text for one in zxingcpp.read_barcodes(picture)}
    document.close()
    assert found == {PORTAL}


def test_the_picture_of_a_piece_is_its_first_side():
    content = preview(PIECES["portal-poster"], USUAL, "es")
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (792, 1224)


def test_both_languages_say_as_much():
    english, spanish = texts("en"), texts("es")

    def shape(said):
        if isinstance(said, dict):
            return {name: shape(one) for name, one in said.items() if name != "icon"} | {"icon": said.get("icon")}
        if isinstance(said, list):
            return [shape(one) for one in said]
        return sorted(re.findall(r"\{\w+\}", said))

    assert shape(english) == shape(spanish)
    assert set(english) == {"common", *PIECES}


def test_every_sentence_on_security_has_quick_tests_that_are_there():
    assert len(claims()) >= 12
    assert len({one.key for one in claims()}) == len(claims())
    for claim in claims():
        assert claim.tests, claim.key
        for test in claim.tests:
            path, _, name = test.partition("::")
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            found = [one for one in tree.body if getattr(one, "name", "") == name]
            assert len(found) == 1, test
            marks = " ".join(ast.unparse(mark) for mark in found[0].decorator_list)
            module = " ".join(ast.unparse(one) for one in tree.body if isinstance(one, ast.Assign))
            assert "proof" not in marks, f"{test} is not part of `make test`"
            assert "skip" not in marks
            assert "mark.proof" not in module


def test_what_a_facility_says_of_itself_comes_out_of_the_record():
    organization = {
        "name": "Clinic", "telecom": [{"system": "email", "value": "a@b"}, {"system": "phone", "value": "555-0100"}],
        "address": [{"line": ["1 Way"], "city": "Reno", "state": "NV", "postalCode": "89501"}],
    }  # fmt: skip
    found = described(organization, PORTAL, date(2027, 1, 4))
    assert (found.name, found.address, found.phone) == ("Clinic", "1 Way, Reno, NV 89501", "555-0100")
    for name in ("", "x" * (FACILITY_NAME_MAX_CHARS + 1)):
        with pytest.raises(Invalid):
            described({"name": name}, PORTAL, date(2027, 1, 4))
