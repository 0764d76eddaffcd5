"""Brings the catalogues of translations in line with the texts in templates and code; new ones are left empty.

    python scripts/messages.py

Translate what is new in `src/continuum/ui/locale/*/LC_MESSAGES/continuum.po`, then run `make setup-run`.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "continuum"
LOCALE = SOURCE / "ui" / "locale"
DOMAIN = "continuum"
METHODS = [
    ("ui/**.py", "python"),
    ("apps/**.py", "python"),
    ("chart/**.py", "python"),
    ("clinical/**.py", "python"),
    ("interop/cutover/**.py", "python"),
    ("**/templates/**.html", "jinja2.ext:babel_extract"),
]
"""Where texts for people are, and how they are found. Other Python speaks to programs and administrators."""
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "ngettext_in": (2, 3)}
WIDTH = 110
BEGINNING = datetime(2026, 11, 23, tzinfo=UTC)
"""The date in the heads of the files; git knows better, and a date that moves is a conflict for everybody."""


def extracted() -> Catalog:
    """Every text that is marked for translation, with the files that have it."""
    catalogue = Catalog(fuzzy=False)
    found = extract_from_dir(SOURCE, METHODS, OPTIONS, KEYWORDS, ("NOTE:",))
    for name, _, message, comments, context in found:
        if "/tests/" not in f"/{name}":
            catalogue.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return catalogue


def present(path: Path) -> Catalog:
    """A catalogue as it lies in the tree."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], domain=DOMAIN)


def main() -> None:
    """Writes each catalogue anew: what is translated stays, what is gone goes, what is new is empty."""
    template = extracted()
    for path in sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        catalogue = present(path)
        catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.obsolete.clear()
        catalogue.project, catalogue.version, catalogue.msgid_bugs_address = "Continuum", "1", "none"
        catalogue.last_translator, catalogue.language_team = "Continuum", path.parts[-3]
        catalogue.creation_date = catalogue.revision_date = BEGINNING
        with path.open("wb") as file:
            write_po(file, catalogue, width=WIDTH, sort_output=True, include_lineno=False, ignore_obsolete=True)
        empty = [message.id for message in catalogue if message.id and not message.string]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(empty)} without a translation")


if __name__ == "__main__":
    main()
