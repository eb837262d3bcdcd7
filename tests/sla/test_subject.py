"""Subjects and their text: what is stored and what ids are made from never changes its meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sla.subject import THE_DESK, Subject, SubjectKind

PREFIXES = [kind.value for kind in SubjectKind]
TEXTS = st.text() | st.builds("{}:{}".format, st.sampled_from([*PREFIXES, "Service", ""]), st.text())


@given(TEXTS)
def test_every_text_is_a_subject_that_is_written_as_it_was_read(text: str) -> None:
    assert Subject.parse(text).text == text


@given(TEXTS, TEXTS)
def test_two_subjects_are_the_same_when_their_texts_are(one: str, other: str) -> None:
    assert (Subject.parse(one) == Subject.parse(other)) is (one == other)


@given(st.sampled_from([SubjectKind.SERVICE, SubjectKind.CALL, SubjectKind.CONTRACT]), st.text())
def test_a_subject_is_read_as_it_was_written(kind: SubjectKind, identity: str) -> None:
    assert Subject.parse(Subject(kind, identity).text) == Subject(kind, identity)


@pytest.mark.parametrize(
    ("text", "kind", "identity"),
    [
        ("4711", SubjectKind.TICKET, "4711"),
        ("service:web", SubjectKind.SERVICE, "web"),
        ("service:web:8080", SubjectKind.SERVICE, "web:8080"),
        ("service:", SubjectKind.SERVICE, ""),
        ("service", SubjectKind.TICKET, "service"),
        ("Service:web", SubjectKind.TICKET, "Service:web"),
        ("call:81", SubjectKind.CALL, "81"),
        ("contract:C-7", SubjectKind.CONTRACT, "C-7"),
        # No event names its desk so, and a ticket system may have such an id.
        ("desk:1", SubjectKind.TICKET, "desk:1"),
        ("ticket:4711", SubjectKind.TICKET, "ticket:4711"),
        (":1", SubjectKind.TICKET, ":1"),
        ("", SubjectKind.DESK, ""),
    ],
)
def test_the_prefix_tells_the_kind(text: str, kind: SubjectKind, identity: str) -> None:
    assert Subject.parse(text) == Subject(kind, identity)


def test_only_a_ticket_has_a_ticket() -> None:
    assert Subject.parse("4711").ticket == "4711"
    assert Subject.parse("service:web").ticket is None
    assert THE_DESK.ticket is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("service:Web", "service:web"),
        ("service: Straße ", "service:strasse"),
        ("contract:C-1", "contract:c-1"),
        ("call:A", "call:A"),
        ("T-1", "T-1"),
        ("", ""),
    ],
)
def test_the_key_of_a_service_or_a_contract_is_its_name_without_case(text: str, key: str) -> None:
    assert Subject.parse(text).key == Subject.parse(key)
    assert Subject.parse(key).key == Subject.parse(key)
