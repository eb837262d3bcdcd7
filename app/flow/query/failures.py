"""Failures that show while a subject is evaluated and are not of its own content."""

from typing import Final

from app.sla.budget import TooExpensive
from app.store.engine.database import Database

NOT_OF_THE_SUBJECT: Final = (*Database.failures, OSError, TooExpensive)
"""The database's, a timeout of its driver (an OSError), and a spent time budget. They fail the whole transaction or
answer: with them no subject is parked, and none is left out."""
