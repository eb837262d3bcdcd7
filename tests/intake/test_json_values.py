"""JSON of foreign bodies: what parsing costs."""

import gc

import pytest

from app.intake.json_values import Faulty, NotJson, parse, parse_values

NESTED = b'{"a":' + b"[" * 12 + b"]" * 12 + b"}"


def collections_during(body: bytes, *, one_by_one: bool) -> int:
    """How many garbage collections begin while a body is parsed."""
    begun: list[object] = []

    def note(phase: str, info: object) -> None:
        if phase == "start":
            begun.append(info)

    gc.callbacks.append(note)
    try:
        parse_values(body, most=1_000) if one_by_one else parse(body)
    except NotJson:
        pass
    finally:
        gc.callbacks.remove(note)
    return len(begun)


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("end", [b"1]", b'{"a":"\\ud800"}]', b"?"])
def test_a_large_body_is_parsed_without_garbage_collection(end: bytes, one_by_one: bool) -> None:
    """Each collection would walk all that is parsed so far. One may begin when the parsing is done."""
    gc.enable()
    assert collections_during(b"[" + (NESTED + b",") * 10_000 + end, one_by_one=one_by_one) <= 1
    assert gc.isenabled()


def test_collections_that_were_off_stay_off() -> None:
    gc.disable()
    try:
        parse(b"[" + b"1," * 100_000 + b"1]")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_faulty_entry_spoils_no_other_one_of_a_large_body() -> None:
    found = parse_values(b"[" + b'{"a":1},' * 20_000 + b'{"a":"\\ud800"}]', most=30_000)
    assert isinstance(found, list)
    assert [isinstance(each, Faulty) for each in found[-2:]] == [False, True]
