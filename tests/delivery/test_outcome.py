"""docs/webhooks.md explains every outcome."""

import re
from pathlib import Path

from app.delivery.outcome import DeliveryOutcome

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "webhooks.md"


def test_the_page_explains_every_outcome() -> None:
    section = (
        PAGE.read_text(encoding="utf-8").partition("## When a delivery fails")[2].partition("\n\nA failed")[0]
    )
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [
        outcome.value for outcome in DeliveryOutcome
    ]
