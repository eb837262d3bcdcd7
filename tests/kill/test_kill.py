"""A service that is killed at any moment loses, doubles and forgets nothing. The long form is benchmarks/kill.py."""

from pathlib import Path

from benchmarks.kill import run

ROUNDS = 3


def test_a_killed_service_keeps_what_it_acknowledged_and_tells_every_breach_once(tmp_path: Path) -> None:
    outcome = run(ROUNDS, tmp_path)
    assert outcome.acknowledged > 0
    assert outcome.breaches > 0
    assert str(outcome) == f"rounds={ROUNDS} lost=0 untold=0 doubled=0 early=0"
