"""The table `[reports]` of an agreement file: whether reports name assignees, and the goal of the desk."""

import re
from decimal import Decimal
from typing import Final

from app.sla.document.table import Table

_GOAL: Final = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s*%", re.ASCII)
_WHOLE: Final = 100


def read_reports(top: Table) -> tuple[bool, Decimal | None]:
    """Whether reports name assignees, and the share of clocks that the desk means to keep, in per cent."""
    table = top.table("reports", example="[reports]")
    names, goal = table.flag("names", default=True), _goal(table)
    table.close()
    return names, goal


def _goal(table: Table) -> Decimal | None:
    example = '"95%"'
    text = table.text("goal", example=example)
    if text is None:
        return None
    found = _GOAL.fullmatch(text.strip())
    if found is None or not 0 < Decimal(found[1]) <= _WHOLE:
        table.fault("goal", f"{text!r} is no share of up to 100 %", f"Write goal = {example}.")
        return None
    return Decimal(found[1])
