"""What can be set from outside, what is it when nobody sets it, and why?

Every setting is an environment variable with the prefix SLATIMER_. No other module holds a limit or a default that an
operator could want to change. Durations are given as ISO 8601 (PT1M30S) or as 00:01:30 and read as timedeltas.
"""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

T = TypeVar("T")


def _split(given: object) -> object:
    """The parts of a text with commas; nothing in an empty one."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split)]
"""Several values, written with commas."""

_APP = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    """The desks that come with the service: beside the package in a checkout, inside it when installed."""
    packaged = _APP / "desks" / folder
    return packaged if packaged.is_dir() else _APP.parent / folder


class Settings(BaseSettings):
    """Every setting, its default and the reason for it."""

    model_config = SettingsConfigDict(
        env_prefix="SLATIMER_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: str = Field(
        default="sqlite:///slatimer.db",
        description="Where everything is kept: a SQLite file by default, nothing to install and one file to save; "
        "or PostgreSQL, postgresql+asyncpg://USER@HOST/NAME, for several processes.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis, redis://HOST:6379/0, for workers. With it the web processes leave sweeping and "
        "delivering to `slatimer worker`; without it they do both themselves.",
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
    holiday_years_ahead: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Years ahead of which a version stores its holidays: no target is longer than ten years. "
        "Later years come from the installed package and are provisional.",
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
        description="Events of waiting pushes that share one transaction: the gain of sharing is spent beyond "
        "it. A push with more has a transaction of its own.",
    )
    readers: int = Field(
        default=2, ge=1, description="Threads that read. Two: one long list does not stop the others."
    )
    busy_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="How long to wait for another process that writes the same SQLite file.",
    )
    redis_connect: timedelta = Field(
        default=timedelta(seconds=1),
        description="How long to wait for Redis to accept a connection. It is near, or away.",
    )
    job_poll: timedelta = Field(
        default=timedelta(milliseconds=50),
        description="How often a worker asks Redis for jobs: arq's own half a second would be the lateness of each.",
    )
    job_timeout: timedelta = Field(
        default=timedelta(seconds=30),
        description="A job that takes longer is given up; one whose worker died runs again ten seconds after this.",
    )
    job_most: int = Field(
        default=100, ge=1, description="Jobs that a worker runs at once. They wait for the database."
    )
    worker_net: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="How often a worker sweeps by arq's own schedule besides, whatever it was woken for.",
    )
    database_connect: timedelta = Field(
        default=timedelta(seconds=5),
        description="How long to wait for a PostgreSQL server to accept a connection.",
    )
    database_patience: timedelta = Field(
        default=timedelta(seconds=30),
        description="How long one statement may take on PostgreSQL. A cut connection is noticed after this, "
        "so it is short; migrations are exempt.",
    )
    transaction_patience: timedelta = Field(
        default=timedelta(seconds=10),
        description="PostgreSQL ends a transaction of which nothing was heard for this long, as of a frozen "
        "process: others then get at what it held. No transaction of ours thinks for a second.",
    )
    keep_look: timedelta = Field(
        default=timedelta(hours=1),
        description="How often old facts are looked after: closed tickets folded, months of the log made ahead.",
    )
    fold_after: timedelta = Field(
        default=timedelta(days=30),
        description="A ticket that ended this long ago is folded to its final view; few are reopened later.",
    )
    parts_ahead: int = Field(
        default=3,
        ge=1,
        description="Months of the log on PostgreSQL that are there, with this one, before they are needed.",
    )
    glance_kept: timedelta = Field(
        default=timedelta(seconds=10),
        description="How long `/readyz` answers from the last look at the invariants, however often it is asked.",
    )
    heartbeat_url: str | None = Field(
        default=None,
        description="An address that is called as long as breaches are told on time; whoever keeps it raises the "
        "alarm when the calls stop.",
    )
    heartbeat_every: timedelta = Field(
        default=timedelta(minutes=1), description="How often the heartbeat is sent."
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
    allow_networks: Listed[IPv4Network | IPv6Network] = Field(
        default=(),
        description="Networks (CIDR, with commas) that deliveries may reach although they are not public, also by "
        "plain http.",
    )
    deliver_waits: Listed[timedelta] = Field(
        default=(
            timedelta(seconds=5),
            timedelta(minutes=5),
            timedelta(minutes=30),
            timedelta(hours=2),
            timedelta(hours=5),
            timedelta(hours=10),
            timedelta(hours=14),
            timedelta(hours=20),
            timedelta(hours=24),
        ),
        description="Waits between the attempts of one delivery, with commas. After the last it is parked: by then "
        "three days have passed, and a weekend is over.",
    )
    deliver_spread: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of a wait by which it is prolonged at most, at random: what failed together does not come "
        "back together.",
    )
    deliver_retry_after: timedelta = Field(
        default=timedelta(hours=1),
        description="The longest wait that a receiver may ask for with Retry-After; it never shortens ours.",
    )
    deliver_connect: timedelta = Field(
        default=timedelta(seconds=5), description="How long to wait for a connection to an endpoint."
    )
    deliver_timeout: timedelta = Field(
        default=timedelta(seconds=20), description="How long one attempt may take as a whole."
    )
    deliver_answer: int = Field(
        default=16_384,
        ge=0,
        description="Bytes that are read of an endpoint's answer; nothing in it is needed.",
    )
    deliver_parallel: int = Field(
        default=8,
        ge=1,
        description="Attempts at a time at one endpoint, in one process. Endpoints do not share it, so that a dead one "
        "delays no other.",
    )
    deliver_look: timedelta = Field(
        default=timedelta(seconds=1),
        description="How often to look for deliveries that another process has written; one's own are sent at once.",
    )
    endpoint_failures: int = Field(
        default=20,
        ge=1,
        description="Failures in a row from which on an endpoint may be switched off, and is not just refusing one "
        "message.",
    )
    endpoint_downtime: timedelta = Field(
        default=timedelta(days=5),
        description="Time without a success from which on such an endpoint is switched off.",
    )
    secret_overlap: timedelta = Field(
        default=timedelta(hours=24),
        description="How long the former secret of a connection or a subscription stays valid after it was "
        "replaced: time to enter the new one on the other side.",
    )
    notice_wait: timedelta = Field(
        default=timedelta(seconds=5),
        description="How long a message to people waits for what else happens, so that a storm is one message.",
    )
    notice_gap: timedelta = Field(
        default=timedelta(minutes=1), description="The least time between two messages of one subscription."
    )
    notice_language: str = Field(
        default="en",
        pattern="^(en|fr|nl|it|vi)$",
        description="Language of messages to people when a subscription names none: en, fr, nl, it, vi.",
    )
    notice_schemes: Listed[str] = Field(
        default=(
            "mailto",
            "mailtos",
            "slack",
            "workflows",
            "tgram",
            "discord",
            "gchat",
            "wxteams",
            "pagerduty",
            "opsgenie",
            "pover",
            "signl4",
            "twilio",
            "sendgrid",
            "mailgun",
        ),
        description="Kinds of channel to people, as apprise names them, with commas. Of its many others some lead "
        "wherever a URL says, or act on this machine.",
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
    hook_body: int = Field(
        default=2_000_000,
        ge=1024,
        description="Bytes of a ticket system's delivery. Each is kept whole, and the longest mail of a ticket "
        "with all of its fields is a tenth of this.",
    )
    read_batch: int = Field(
        default=10,
        ge=1,
        description="Deliveries read in one transaction: about 15 ms of the writer's time, which those at the "
        "door wait for.",
    )
    read_share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Share of the time for reading deliveries while many wait to be let in. Those are answered "
        "first, and what they say is read when the crowd is gone.",
    )
    read_safety: timedelta = Field(
        default=timedelta(seconds=5),
        description="A delivery is read once it is durable; it is looked this often besides for what another "
        "process left.",
    )
    read_tries: int = Field(
        default=5,
        ge=1,
        description="Tries to take in what a delivery says while the database fails; then it waits in the inbox "
        "and holds up no other.",
    )
    hooks_kept: timedelta = Field(
        default=timedelta(days=14),
        description="Deliveries that were understood are kept this long: a system's last retry is days behind, "
        "and a wrong reading is noticed by then. What is in the inbox stays.",
    )
