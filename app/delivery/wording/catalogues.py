"""Compiles gettext catalogues (`*.po`) in memory, on first use.

A checkout therefore needs no build step, and what a translator edits is what runs. A folder has one file for each
language but English, whose phrases are the keys. Several folders form a chain: the first that has a phrase wins.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.delivery.wording.language import Language

Folders = tuple[Path, ...]
"""Folders of catalogues, in the order in which a phrase is looked up."""


@cache
def translations(language: Language, folders: Folders) -> NullTranslations:
    """The translations of a language. A folder without its file is skipped."""
    if language is Language.EN:
        return NullTranslations()
    files = [folder / f"{language.value}.po" for folder in folders]
    found = [_compiled(language, file) for file in files if file.exists()]
    chain = found[0] if found else NullTranslations()
    for following in found[1:]:
        chain.add_fallback(following)
    return chain


def _compiled(language: Language, file: Path) -> GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=language.value)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
