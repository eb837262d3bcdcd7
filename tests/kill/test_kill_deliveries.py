"""A service that is killed while it delivers loses, changes and reorders nothing. The long form is a benchmark."""

from pathlib import Path

from tests.kill.delivery_rounds import run

ROUNDS = 2


async def test_a_killed_service_delivers_everything_at_least_once_in_order_and_under_one_id(
    tmp_path: Path,
) -> None:
    outcome = await run(ROUNDS, tmp_path)
    assert outcome.recorded > 0
    assert outcome.arrived >= outcome.recorded
    assert str(outcome) == f"rounds={ROUNDS} lost=0 invented=0 changed=0 disordered=0"
