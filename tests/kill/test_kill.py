"""A service that is killed under load loses and doubles nothing. The long form is benchmarks/kill.py."""

from pathlib import Path

from tests.kill.push_rounds import run

ROUNDS = 3


def test_a_killed_service_keeps_what_it_acknowledged_and_records_every_breach_once(tmp_path: Path) -> None:
    outcome = run(ROUNDS, tmp_path)
    assert outcome.acknowledged >= ROUNDS
    assert outcome.breaches > 0
    assert str(outcome) == f"rounds={ROUNDS} lost=0 unrecorded=0 doubled=0 early=0"
