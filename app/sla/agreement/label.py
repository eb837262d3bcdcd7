"""The label of a commitment in an agreement file: one text, or one for each language.

label = "First response"
label = { en = "First response", fr = "Première réponse" }
"""

from collections.abc import Mapping
from typing import Final

from app.sla.document.table import Table

_EXAMPLE: Final = '{ en = "First response", fr = "Première réponse" }'
_MAIN: Final = "en"
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
_CODE_LENGTHS: Final = (2, 3)


def read_label(table: Table, commitment_id: str, language: str | None) -> tuple[str, Mapping[str, str]]:
    """The label that the API shows, and the labels by language, if the file has several.

    The API shows the one of the agreement's language, else the English one, else the first.
    """
    if not isinstance(table.value("label"), Mapping):
        return table.text("label", example='"First response"') or commitment_id, {}
    inner = table.table("label", example=f"label = {_EXAMPLE}")
    found: dict[str, str] = {}
    for code in inner.content:
        text = inner.text(code, example='"First response"')
        if not is_language(code):
            inner.fault(code, "it is no code of a language", 'Write "en", "fr" or "pt-BR" for example.')
        elif text is not None:
            found[code] = text
    if not inner.content:
        table.fault("label", "it has no language", f"Write label = {_EXAMPLE}.")
    first = next(iter(found.values()), commitment_id)
    return found.get(language or _MAIN) or found.get(_MAIN) or first, found


def read_language(top: Table) -> str | None:
    """The agreement's own language, which the API's labels are in."""
    language = top.text("language", example='"en"')
    if language is not None and not is_language(language):
        top.fault("language", f"{language!r} is no code of a language", 'Write language = "en".')
        return None
    return language


def is_language(code: str) -> bool:
    """Whether a code is formed like one of a language: `fr`, `pt-BR`."""
    main, _, region = code.partition("-")
    well_formed = len(main) in _CODE_LENGTHS and set(main) <= _LETTERS
    return well_formed and (not region or (region.isascii() and region.isalnum() and "-" not in region))
