"""What the pages say is translated: every phrase, in every language and plural form, and nothing else."""

import re
from pathlib import Path
from string import Formatter

import pytest

from app.delivery.wording.language import Language
from app.delivery.wording.wording import CATALOGUES
from app.web.pages.frame.assets import PAGES
from app.web.pages.frame.rendering import environment, words_of
from tests.web.messages import ROOM_NAMES, TRANSLATED, entries, key_of, path_of, read, wanted


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_the_catalogues_of_a_room_have_exactly_what_it_says(room: str) -> None:
    """To add what is missing and remove what is unused: python -m tests.web.messages"""
    phrases = wanted(room)
    for language in TRANSLATED:
        found = {key_of(each) for each in entries(read(path_of(room, language), language))}
        assert found == phrases, (room, language)


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_every_phrase_of_a_room_is_translated_in_every_plural_form_with_the_values_of_the_original(
    room: str,
) -> None:
    for language in TRANSLATED:
        catalogue = read(path_of(room, language), language)
        for message in entries(catalogue):
            forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
            key = key_of(message)
            assert all(forms), (room, language, key)
            assert not message.fuzzy, (room, language, key)
            assert len(forms) == (1 if isinstance(key, str) else catalogue.num_plurals), (room, language, key)
            original = key if isinstance(key, str) else key[0]
            assert {frozenset(_values(form)) for form in forms} == {frozenset(_values(original))}, key


def _values(phrase: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(phrase) if name}


NBSP = "\N{NO-BREAK SPACE}"
NAMES = {"slatimer", "- slatimer", "Esc"}
"""Texts that are the same in every language."""


def test_a_template_has_no_text_that_is_not_a_phrase() -> None:
    for path in sorted(PAGES.rglob("*.html")):
        assert _bare_texts(path.read_text()) == [], path


def _bare_texts(template: str) -> list[str]:
    """Words between tags, and in attributes that people read."""
    without_code = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", template, flags=re.DOTALL)
    without_code = re.sub(
        r'[\w-]+="\w*"(?=\s*$)', "", without_code, flags=re.MULTILINE
    )  # of the tag around a block
    attributes = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', without_code)
    texts = re.sub(r"<[^>]*>", "\n", without_code).splitlines()
    return [
        each.strip()
        for each in (*attributes, *texts)
        if re.search(r"[^\W\d_]{2}", each) and each.strip() not in NAMES
    ]


def test_no_page_sets_a_name_that_the_frame_sets() -> None:
    """The frame is rendered after the page's own names are set, and would replace them."""
    of_frame = {name for path in sorted((PAGES / "frame").glob("*.html")) for name in _names_set(path)}
    assert of_frame
    for path in sorted(PAGES.rglob("*.html")):
        assert path.parent.name == "frame" or not of_frame & _names_set(path), path


def _names_set(path: Path) -> set[str]:
    return set(re.findall(r"{%-? set (\w+)", path.read_text()))


def test_what_is_filled_into_a_phrase_is_escaped() -> None:
    template = environment("now", Language.FR).from_string('{{ _("taken on by {name}", name="<b>") }}')
    assert template.render() == "pris en charge par &lt;b&gt;"


@pytest.mark.parametrize(
    ("language", "lengths"),
    [
        ("en", ["45 s", "7 min", "1 h 20 min", "2 h", "31 h", "31 min over"]),
        (
            "fr",
            [
                f"45{NBSP}s",
                f"7{NBSP}min",
                f"1{NBSP}h 20{NBSP}min",
                f"2{NBSP}h",
                f"31{NBSP}h",
                f"31{NBSP}min de retard",
            ],
        ),
        ("nl", ["45 s", "7 min", "1 u 20 min", "2 u", "31 u", "31 min te laat"]),
        ("it", ["45 s", "7 min", "1 h 20 min", "2 h", "31 h", "31 min di ritardo"]),
        ("vi", ["45 giây", "7 phút", "1 giờ 20 phút", "2 giờ", "31 giờ", "quá 31 phút"]),
    ],
)
def test_time_left_is_written_as_the_language_does(language: str, lengths: list[str]) -> None:
    words = words_of("now", Language(language))
    assert [words.left(seconds) for seconds in (45, 420, 4_800, 7_200, 111_700, -1_860)] == lengths


@pytest.mark.parametrize(
    ("written", "shown"),
    [("3 working days", "3 jours ouvrés"), ("1 month", "1 mois"), ("> 99.95%", "> 99.95%"), ("2h", "2h")],
)
def test_a_target_of_days_or_months_is_counted_in_the_readers_language(written: str, shown: str) -> None:
    words = words_of("ticket", Language.FR)
    assert words.counted_target(written) == shown
    assert words.uptime("> 99.95%") == f"plus de 99,95{NBSP}%"
    assert words.percent(0.5) == f"50{NBSP}%"


# What French sets before these signs, and the apostrophe of print, in every catalogue.
_BARE = {Language.FR: r" [:;!?%]|'", Language.IT: "'", Language.NL: "'"}


@pytest.mark.parametrize("language", _BARE)
def test_the_signs_of_a_language_are_those_of_its_print(language: Language) -> None:
    paths = [*(path_of(room, language) for room in ROOM_NAMES), CATALOGUES / f"{language}.po"]
    said = [message.string or "" for path in paths for message in entries(read(path, language))]
    texts = [form for each in said for form in ([each] if isinstance(each, str) else each)]
    assert [text for text in texts if re.search(_BARE[language], text)] == []
