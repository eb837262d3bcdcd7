"""Whatever breaks, nothing is lost, doubled or told at the wrong time. The long form is `make chaos`."""

from pathlib import Path
from random import SystemRandom

from tests.chaos.harness import run

ROUNDS = 3


def test_whatever_breaks_nothing_is_lost_doubled_or_told_at_the_wrong_time(tmp_path: Path) -> None:
    recorded: list[str] = []
    outcome = run(ROUNDS, tmp_path, SystemRandom().randrange(1_000_000), recorded.append)
    assert outcome.acknowledged > 0, outcome
    assert outcome.breaches > 0, outcome
    assert outcome.delivered > 0, outcome
    assert not outcome.findings, (outcome.seed, recorded)
    assert outcome.rounds == ROUNDS
