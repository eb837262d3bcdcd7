"""Settings of the HTTP server, of requests and of the stream."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, cast

from pydantic import Field, model_validator

from app.settings.group import SettingsGroup

_APP: Final = Path(__file__).resolve().parent.parent


def _shipped(folder: str) -> Path:
    """Folder of the shipped desks: beside the package in a checkout, inside it when installed."""
    packaged = _APP / "desks" / folder
    return packaged if packaged.is_dir() else _APP.parent / folder


class LogLevel(StrEnum):
    """The levels of log messages, the most talkative first."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"

    @classmethod
    def _missing_(cls, value: object) -> "LogLevel | None":
        """The level of a name in any case."""
        return cls.__members__.get(str(value).upper())


class ServerSettings(SettingsGroup):
    """Server"""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. The default accepts local connections only."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Minimum level of log messages.")
    graceful_timeout: timedelta = Field(
        default=timedelta(seconds=5),
        description="Time for open requests to finish after SIGTERM.",
    )
    max_body_size: int = Field(
        default=10_000_000,
        ge=1024,
        description="Maximum size of a request body in bytes. 1,000 events with a message of 8 kB each fit.",
    )
    object_max_body_size: int = Field(
        default=64_000,
        ge=1024,
        description="Maximum size in bytes of a request body that is one object, such as a subscription. The "
        "longest known is 4 kB.",
    )
    public_max_body_size: int = Field(
        default=4_000,
        ge=512,
        description="Maximum size in bytes of a request body that is read without a key, as for signing in. A "
        "key has 47 characters.",
    )
    max_pending_body_size: int = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Bytes of request bodies in memory at one time; beyond it, the answer is 503. Requests "
        "without a key, as inbound webhooks, have as much again, so that they cannot block pushes.",
    )
    body_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="Time for a request body to arrive, beside what `body_min_rate` adds. A sender sends at once.",
    )
    body_min_rate: int = Field(
        default=10_000,
        ge=1,
        description="Bytes a second at which a body must arrive: each so many add a second to `body_timeout`. A "
        "slow line is ten times as fast.",
    )
    max_connections: int = Field(
        default=1000,
        ge=1,
        description="Connections served at one time; fewer where the process may open fewer files. A further one "
        "replaces the one that is idle longest. A connection takes about 30 kB.",
    )
    reserved_descriptors: int = Field(
        default=64,
        ge=16,
        description="Files and sockets kept free of connections: database, Redis and deliveries take about 40.",
    )
    header_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="Time for the headers of a request to arrive, also on a new connection. A client sends them at "
        "once.",
    )
    max_header_size: int = Field(
        default=32_000,
        ge=4096,
        description="Maximum size of the headers of a request in bytes, and of the trailers of a chunked body. Browsers "
        "and proxies send 8 kB at most.",
    )
    keep_alive_timeout: timedelta = Field(
        default=timedelta(seconds=75),
        description="Time after which an idle connection is closed. It is longer than the 60 s for which proxies "
        "keep one, so that none sends a request into a connection that is being closed.",
    )
    send_timeout: timedelta = Field(
        default=timedelta(seconds=30),
        description="A client that reads nothing of its answer for this long is disconnected, a stream's too.",
    )
    thread_switch_interval: timedelta = Field(
        default=timedelta(milliseconds=0.5),
        gt=timedelta(0),
        description="Time after which a thread that computes gives the interpreter to one that waits. At Python's "
        "default of 5 ms each step of a push, in two threads, waits that long beside another desk's.",
    )
    max_events: int = Field(
        default=1000,
        ge=1,
        description="Maximum number of events in one push. It limits the duration of one write transaction.",
    )
    max_text_length: int = Field(
        default=64_000, ge=1, description="Maximum length of one text of an event in characters."
    )
    max_skew: timedelta = Field(
        default=timedelta(hours=1),
        description="An event dated further in the future is refused: its sender's clock is probably wrong.",
    )
    answer_cycles: int = Field(
        default=50,
        ge=1,
        description="Latest cycles of a commitment, and latest moves in a queue, that one view of a ticket shows. "
        "Earlier ones are paged.",
    )
    page_size: int = Field(default=50, ge=1, description="Entries on a page of a list by default.")
    max_page_size: int = Field(default=500, ge=1, description="Maximum entries on a page of a list.")
    shared_read_interval: timedelta = Field(
        default=timedelta(milliseconds=250),
        ge=timedelta(0),
        description="Time between two reads of the same list for the pages that follow it. All readers of the list "
        "share them, so that a thousand cost as many reads as one. A change is seen that much later.",
    )
    stream_poll_interval: timedelta = Field(
        default=timedelta(seconds=1),
        description="Interval at which the stream polls the database for signals of other processes.",
    )
    stream_buffer_size: int = Field(
        default=1000,
        ge=1,
        description="Signals buffered for one client of the stream. A slower client is disconnected and resumes.",
    )
    calendars: Path = Field(
        default_factory=lambda: _shipped("calendars"), description="Folder of the shipped calendars."
    )
    agreements: Path = Field(
        default_factory=lambda: _shipped("agreements"), description="Folder of the shipped agreements."
    )
    calendar_feeds_max: int = Field(
        default=20,
        ge=0,
        description="Feeds of one calendar: addresses with a secret of their own. One for each team or wall is enough, "
        "and a list of twenty can still be overseen.",
    )
    holiday_years_ahead: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Years ahead for which a version stores its holidays. No target is longer than ten years. "
        "Later years come from the installed package and are provisional.",
    )

    def entries_on_page(self, wanted: int | None) -> int:
        """Entries on a page of a list: as many as are wanted, up to the maximum."""
        return min(wanted or self.page_size, self.max_page_size)

    @model_validator(mode="before")
    @classmethod
    def _without_port_of_kubernetes(cls, given: Any) -> Any:
        """Ignore a port that begins with tcp://.

        Kubernetes sets SLATIMER_PORT=tcp://IP:PORT in every pod beside a Service named `slatimer`. It is the address of
        that Service, not a setting, as the other variables of the platform (`renamed`).
        """
        values = cast("dict[str, Any]", given)
        if str(values.get("port", "")).startswith("tcp://"):
            return {name: value for name, value in values.items() if name != "port"}
        return values
