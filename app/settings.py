"""What can be set from outside, what is it when nobody sets it, and why?

Every setting is an environment variable with the prefix SLATIMER_. No other module holds a limit or a default that an
operator could want to change. Durations are given as ISO 8601 (PT1M30S) or as 00:01:30 and read as timedeltas.
"""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_APP = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    """The desks that come with the service: beside the package in a checkout, inside it when installed."""
    packaged = _APP / "desks" / folder
    return packaged if packaged.is_dir() else _APP.parent / folder


class Settings(BaseSettings):
    """Every setting, its default and the reason for it."""

    model_config = SettingsConfigDict(env_prefix="SLATIMER_", extra="ignore", frozen=True)

    database_url: str = Field(
        default="sqlite:///slatimer.db",
        description="Where everything is kept. A SQLite file by default: nothing to install, one file to save.",
    )
    host: str = Field(
        default="127.0.0.1", description="Address to listen on; only this machine unless asked otherwise."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    calendars: Path = Field(
        default_factory=lambda: _shipped("calendars"), description="Folder of the shipped calendars."
    )
    agreements: Path = Field(
        default_factory=lambda: _shipped("agreements"), description="Folder of the shipped agreements."
    )
    max_skew: timedelta = Field(
        default=timedelta(hours=1),
        description="An event dated further ahead than this is refused: rather a wrong clock than a plan.",
    )
    max_events: int = Field(
        default=1000,
        ge=1,
        description="Events in one push. More are refused, so that no push holds the writer for long.",
    )
    max_body: int = Field(
        default=10_000_000,
        ge=1024,
        description="Bytes of a push. A full one of 1,000 events, each with a long message of 8 kB, fits.",
    )
    max_text: int = Field(
        default=64_000,
        ge=1,
        description="Characters of one text of an event; a mail longer than that is cut by its sender.",
    )
    recent: timedelta = Field(
        default=timedelta(hours=24),
        description="What happened longer ago when first learnt of is recorded and not delivered.",
    )
    sweep_safety: timedelta = Field(
        default=timedelta(seconds=5),
        description="The sweep wakes for the next instant; it looks this often besides, for what others wrote.",
    )
    sweep_batch: int = Field(
        default=200,
        ge=1,
        description="Tickets in one transaction of the sweep: about 50 ms of the writer's time.",
    )
    park_first: timedelta = Field(
        default=timedelta(seconds=30),
        description="A ticket whose evaluation failed is tried again after this.",
    )
    park_longest: timedelta = Field(
        default=timedelta(hours=1), description="The time between tries doubles up to this."
    )
    group_max: int = Field(
        default=128,
        ge=1,
        description="Waiting pushes that share one transaction: the gain of sharing is spent beyond it.",
    )
    readers: int = Field(
        default=2, ge=1, description="Threads that read. Two: one long list does not stop the others."
    )
    busy_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="How long to wait for another process that writes the same SQLite file.",
    )
    stream_look: timedelta = Field(
        default=timedelta(seconds=1),
        description="How often the stream looks for signals that another process told, as the command line does.",
    )
    stream_queue: int = Field(
        default=1000,
        ge=1,
        description="Signals that wait for one client of the stream; a slower one is dropped and resumes.",
    )
    page_size: int = Field(
        default=50, ge=1, description="Entries on a page of a list when the caller names no limit."
    )
    page_limit: int = Field(default=500, ge=1, description="The longest page that a caller may ask for.")
    page_guest: bool = Field(
        default=False,
        description="The pages sign their visitor in to read and push. For the demonstration only.",
    )
    shutdown_grace: timedelta = Field(
        default=timedelta(seconds=5),
        description="Time that open requests have when the service is asked to stop.",
    )
    log_level: str = Field(default="INFO", description="Least level that is logged.")
