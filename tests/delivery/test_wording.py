"""The catalogues of messages: complete in every language, and nothing in them that is not used."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.delivery.wording import phrases
from app.delivery.wording.language import Language, nearest
from app.delivery.wording.wording import CATALOGUES, Wording
from app.flow.outbound.subscribe import KINDS

TRANSLATED = [language for language in Language if language is not Language.EN]
AT = datetime(2026, 3, 6, 16, 0, tzinfo=timezone(timedelta(hours=1)))


def extracted() -> set[str | tuple[str, ...]]:
    found = extract_from_file("python", CATALOGUES / "phrases.py", keywords={"N_": None, "NN_": (1, 2)})
    return {message if isinstance(message, str) else tuple(message) for _, message, *_ in found}


def catalogue(language: Language) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        return read_po(source, locale=str(language))


def messages(language: Language) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


def _key(message: Message) -> str | tuple[str, ...]:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def test_every_phrase_is_marked_and_every_kind_of_signal_has_one() -> None:
    assert set(phrases.HAPPENED) == set(phrases.COUNTED) == set(KINDS)
    assert {*phrases.HAPPENED.values(), *phrases.COUNTED.values(), *phrases.REASONS.values()} < extracted()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_exactly_the_phrases_that_are_used(language: Language) -> None:
    assert {_key(message) for message in messages(language)} == extracted()
    assert {path.stem for path in CATALOGUES.glob("*.po")} == set(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_phrase_is_translated_in_every_plural_form_with_the_values_of_the_original(
    language: Language,
) -> None:
    read = catalogue(language)
    for message in messages(language):
        forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        original = message.id if isinstance(message.id, str) else message.id[0]
        assert len(forms) == (1 if isinstance(message.id, str) else read.num_plurals), message.id
        assert {frozenset(values(form)) for form in forms} == {frozenset(values(original))}, message.id


def values(phrase: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(phrase) if name}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["0 breaches", "1 breach", "2 breaches"]),
        ("fr", ["0 dépassement", "1 dépassement", "2 dépassements"]),
        ("nl", ["0 overschrijdingen", "1 overschrijding", "2 overschrijdingen"]),
        ("it", ["0 violazioni", "1 violazione", "2 violazioni"]),
        ("vi", ["0 vi phạm", "1 vi phạm", "2 vi phạm"]),
    ],
)
def test_numbers_have_the_plural_of_their_language(language: str, words: list[str]) -> None:
    wording = Wording(Language(language))
    assert [wording.count(phrases.COUNTED["clock.breached"], n) for n in range(3)] == words


@pytest.mark.parametrize(
    ("language", "when", "length"),
    [
        ("en", "Fri, 6 Mar 2026, 16:00", "1 hr, 30 mins"),
        ("fr", "ven. 6 mars 2026, 16:00", "1 h et 30 min"),
        ("nl", "vr 6 mrt 2026, 16:00", "1 uur, 30 min"),
        ("it", "ven 6 mar 2026, 16:00", "1 h e 30 min"),
        ("vi", "Thứ 6, 6 thg 3, 2026, 16:00", "1 tiếng, 30 phút"),
    ],
)
def test_instants_and_durations_are_written_as_the_language_does(
    language: str, when: str, length: str
) -> None:
    wording = Wording(Language(language))
    assert re.sub(r"\s", " ", wording.when(AT, zone=False)) == when
    assert re.sub(r"\s", " ", wording.length(5_400)) == length


def test_a_duration_has_its_two_largest_units_and_is_at_least_a_minute() -> None:
    english = Wording(Language.EN)
    assert english.length(2 * 86_400 + 3 * 3_600 + 59 * 60) == "2 days, 3 hrs"
    assert english.length(0) == "1 min"


def test_a_label_is_in_the_language_asked_for_or_english_or_any() -> None:
    both = {"nl": "Reactie", "en": "Response"}
    assert [nearest(each, both) for each in ("nl", "nl-BE", "fr")] == ["Reactie", "Reactie", "Response"]
    assert (nearest("fr", {"vi": "Phản hồi"}), nearest("fr", {})) == ("Phản hồi", None)
