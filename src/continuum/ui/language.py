"""Translations: one catalogue for each language, compiled at build, read once."""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from continuum.ui.view import DEFAULT_LANGUAGE, present

BUILT = Path(__file__).resolve().parent / "built"
DOMAIN = "continuum"


class NotBuilt(Exception):
    """The design system was not built in this clone."""


@lru_cache(maxsize=8)
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; what we write in is itself the catalogue of English.

    Raises:
        NotBuilt: the catalogue was not compiled.
    """
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    path = BUILT / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    try:
        with path.open("rb") as catalogue:
            return GNUTranslations(catalogue)
    except FileNotFoundError:
        raise NotBuilt("The translations are not compiled; `make setup-run` does it.") from None


def gettext(message: str) -> str:
    """A message in the language of the page that is being drawn."""
    return translations(present().language).gettext(message)


def ngettext_in(language: str, singular: str, plural: str, number: int) -> str:
    """A message with a number, `%(num)s`, in a language."""
    return translations(language).ngettext(singular, plural, number) % {"num": number}
