"""What are the parts of the log of events called on PostgreSQL? One for each month of receipt, and one for the rest."""

from typing import Final

DEFAULT_PARTITION: Final = "event_other"
"""Where an event goes for whose month there is no part yet, so that none is ever refused for that."""


def partition_of(year: int, month: int) -> str:
    """The name of the part that holds a month."""
    return f"event_{year:04}_{month:02}"
