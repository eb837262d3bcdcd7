"""The label of a commitment: one text, or one for each language."""

import tomllib

import pytest

from app.delivery.wording.language import Language
from app.sla.agreement.agreement import Commitment
from app.sla.agreement.file import AgreementFault, parse_agreement
from tests.sla.test_agreement_file import CALENDARS, DESKS, GOOD, ROOT

TWO = '{ fr = "Première réponse", en = "First response" }'


def commitment(label: str, top: str = "") -> Commitment:
    text = top + GOOD.replace('id = "response"', f'id = "response"\nlabel = {label}')
    return parse_agreement(tomllib.loads(text), calendars=CALENDARS).commitments[1]


@pytest.mark.parametrize(
    ("label", "top", "shown"),
    [
        ('"First response"', "", "First response"),
        (TWO, "", "First response"),
        (TWO, 'language = "fr"\n', "Première réponse"),
        (TWO, 'language = "vi"\n', "First response"),
        ('{ vi = "Phản hồi", nl = "Reactie" }', "", "Phản hồi"),
    ],
)
def test_the_api_shows_the_label_of_the_agreements_language_or_the_english_or_the_first(
    label: str, top: str, shown: str
) -> None:
    assert commitment(label, top).label == shown


def test_messages_have_the_label_in_each_language() -> None:
    assert commitment(TWO).labels == {"fr": "Première réponse", "en": "First response"}
    assert commitment('"First response"').labels == {}


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("{}", "commitments.response.label"),
        ('{ english = "x" }', "commitments.response.label.english"),
        ("{ en = 1 }", "commitments.response.label.en"),
        ('{ en = "" }', "commitments.response.label.en"),
        ("7", "commitments.response.label"),
    ],
)
def test_a_faulty_label_is_refused_with_its_place(label: str, place: str) -> None:
    with pytest.raises(AgreementFault) as refused:
        commitment(label)
    assert [fault.place for fault in refused.value.faults] == [place]


def test_a_faulty_language_of_the_agreement_is_refused() -> None:
    with pytest.raises(AgreementFault, match="no code of a language"):
        commitment(TWO, 'language = "English"\n')


@pytest.mark.parametrize("desk", DESKS)
def test_every_label_of_a_shipped_agreement_is_there_in_every_language_of_the_pages(desk: str) -> None:
    document = tomllib.loads((ROOT / f"agreements/{desk}.toml").read_text(encoding="utf-8"))
    tables = ("commitments", "availability", "credits", "averages", "allowances")
    labels = [each["label"] for name in tables for each in document.get(name, ()) if "label" in each]
    assert len(labels) >= len(document["commitments"])
    assert all(set(each) == set(Language) for each in labels)
