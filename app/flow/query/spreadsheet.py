"""Texts in cells of CSV files. A spreadsheet runs some of them as formulas, also those that a ticket has brought.

An apostrophe before a text makes it a text for spreadsheets. Spaces before a formula, and the wide forms of its first
character, do not make it a text: some programs trim the ones and convert the others.
"""

from typing import Final

_BEGINS_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def text_cell(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return (
        f"'{text}" if text.startswith(_BEGINS_FORMULA) or text.lstrip().startswith(_BEGINS_FORMULA) else text
    )
