"""Signals of availability: what is recorded when an uptime comes near its target, breaks it, or did not break it."""

from enum import StrEnum
from typing import Final


class AvailabilityKind(StrEnum):
    """What happened to the uptime of an object in a period."""

    WARNED = "availability.warned"
    BREACHED = "availability.breached"
    BREACH_MOVED = "availability.breach_moved"
    """A fact that came late gave a recorded breach another instant."""
    BREACH_RETRACTED = "availability.breach_retracted"


AVAILABILITY_SIGNALS: Final = tuple(kind.value for kind in AvailabilityKind)


def warning_occurrence(percent: int, resource: str) -> str:
    """What distinguishes the warnings of one commitment and period."""
    return f"{percent}% {resource}".rstrip()
