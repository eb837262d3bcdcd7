"""Faults of a desk's files in the reader's language: what pages recognize of the sentences that the readers state."""

import re
from pathlib import Path

import pytest

import app
from app.delivery.wording.language import Language
from app.web.pages.frame.files.fault_texts import LONGEST, PHRASES, fault_text
from app.web.pages.frame.rendering import FRAME, words_of

ROOT = Path(app.__file__).parent
SOURCES = [
    path
    for folder in ("sla", "flow", "intake", "web/pages/frame/files")
    for path in (ROOT / folder).rglob("*.py")
]


@pytest.mark.parametrize(
    ("sentence", "in_french"),
    [
        ("it is missing", "élément manquant"),
        ("'x' is not a list", "&#39;x&#39; n\N{RIGHT SINGLE QUOTATION MARK}est pas une liste"),
        (
            "3 is not a whole number of 5 or more",
            "3 n\N{RIGHT SINGLE QUOTATION MARK}est pas un nombre entier d\N{RIGHT SINGLE QUOTATION MARK}au moins 5",
        ),
        (
            'Did you mean "mon"? Write "mon" or "tue".',
            "Vouliez-vous dire &#34;mon&#34;\u202f? Écrivez &#34;mon&#34; ou &#34;tue&#34;.",
        ),
        ("Write [calendars.desk] with its hours.", "Écrivez [calendars.desk] avec ses horaires."),
        ("Write every = 2.", "Écrivez every = 2."),
        ("exclusion.granted needs a reason", "exclusion.granted demande un motif"),
    ],
)
def test_a_sentence_is_said_in_the_language_with_what_it_quotes(sentence: str, in_french: str) -> None:
    assert str(fault_text(words_of(FRAME, Language.FR), sentence)) == in_french


@pytest.mark.parametrize(
    "sentence",
    [
        "a moon never sets",
        "roll = 2 cannot go with it",
        f"{'x' * LONGEST} is not a list",
        "<b> is not nice",
    ],
)
def test_another_sentence_stays_english_and_says_so(sentence: str) -> None:
    shown = str(fault_text(words_of(FRAME, Language.FR), sentence))
    assert shown.startswith('<span lang="en">')
    assert "<b>" not in shown


def test_every_phrase_is_one_that_a_reader_of_files_states() -> None:
    said = "".join(path.read_text() for path in SOURCES if path.name != "fault_texts.py")
    parts = [max(re.split(r"\{[ab]\}", phrase), key=len).strip(" .,;?") for phrase in PHRASES]
    assert [part for part in parts if part not in said] == []
