"""Allowances: how many facts a month a contract includes, as the `[[allowances]]` tables of an agreement state them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

COUNTABLE: Final = frozenset({"call.registered", "intervention.started", "part.replaced"})
"""The facts of a ticket that an allowance can count. An index finds those of a month."""


class PastAllowance(StrEnum):
    """What becomes of a ticket past the allowance."""

    FLAG = "flag"
    """It is flagged, and its clocks run all the same."""
    NO_CLOCK = "no_clock"
    """It is flagged, and no commitment applies to it."""


@dataclass(frozen=True, slots=True)
class AllowanceRule:
    """One allowance. Each ticket counts once, in the local month of its first fact of the type `counts`."""

    id: str
    label: str
    counts: str
    limit: int | None
    """The number that every contract has; None: the value of this name that the level or the contract sets."""
    limit_name: str | None = None
    past: PastAllowance = PastAllowance.FLAG
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
