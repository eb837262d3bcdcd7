"""Patterns that a desk writes: none costs more than its text, and what would is refused."""

import pytest

from app.sla.pattern import PatternFault, desk_pattern


def test_a_pattern_with_endless_ways_to_match_is_answered_at_once() -> None:
    # With back-tracking this takes longer than the universe has lasted.
    assert desk_pattern(r"((?:a|a)+)+$").search("a" * 50_000 + "!") is None


@pytest.mark.parametrize("pattern", [r"(?=a)(b)", r"(a)\1", r"(a", r"(?<=a)(b)"])
def test_a_pattern_that_needs_back_tracking_is_refused(pattern: str) -> None:
    with pytest.raises(PatternFault):
        desk_pattern(pattern)


def test_a_token_is_found_among_letters_of_any_script() -> None:
    found = desk_pattern(r"\[\[([^\[\]]+)\]\]").search("Réf. [[Việt-4711]] đúng")
    assert found is not None
    assert found[1] == "Việt-4711"
