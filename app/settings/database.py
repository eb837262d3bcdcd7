"""Settings of the database connection and of transactions."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from app.settings.group import SettingsGroup
from app.settings.listed import Listed


class DatabaseSettings(SettingsGroup):
    """Database"""

    database_url: str = Field(
        default="sqlite:///slatimer.db",
        description="A SQLite file (sqlite:////path/slatimer.db), or PostgreSQL "
        "(postgresql+asyncpg://USER@HOST/NAME) for several processes. Several hosts, as "
        "postgresql+asyncpg://USER@/NAME?host=HOST:PORT&host=HOST:PORT: the one that accepts writes is used.",
    )
    database_direct_url: str | None = Field(
        default=None,
        description="Where SLATIMER_DATABASE_URL is a PgBouncer in transaction mode: the PostgreSQL server behind it. "
        "LISTEN and migrations use it, and prepared statements are off.",
    )
    replica_url: str | None = Field(
        default=None,
        description="A read replica (streaming standby) of the PostgreSQL server. Reports, simulations and lists are "
        "read there once it has everything that was committed before the request; otherwise from the primary.",
    )
    replica_wait_timeout: timedelta = Field(
        default=timedelta(milliseconds=500),
        description="How long a read waits for the replica to catch up before it goes to the primary.",
    )
    replica_retry_interval: timedelta = Field(
        default=timedelta(seconds=5),
        description="After a replica that is behind or unreachable: reads go to the primary for this long.",
    )
    route_poll_interval: timedelta = Field(
        default=timedelta(seconds=5),
        description="Interval at which a web process reads the routing table of desks that live on other servers, in "
        "case the database's announcement of a change was lost.",
    )
    forward_timeout: timedelta = Field(
        default=timedelta(seconds=8),
        description="Timeout of a request that is forwarded to the server on which its desk lives. Ticket systems wait "
        "for 10 s.",
    )
    database_connect_timeout: timedelta = Field(
        default=timedelta(seconds=5), description="Timeout for connecting to PostgreSQL."
    )
    database_statement_timeout: timedelta = Field(
        default=timedelta(seconds=30),
        description="Timeout of one statement on PostgreSQL. It also detects a lost connection. Migrations are "
        "exempt.",
    )
    database_idle_in_transaction_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="PostgreSQL ends a transaction that is idle for this long, as of a frozen process, and so "
        "releases its locks.",
    )
    database_read_pool_size: int = Field(
        default=3,
        ge=1,
        description="Threads with a read-only connection each. One desk uses all but one of them at a time, so its "
        "long queries block no other desk.",
    )
    secret_keys: Listed[str] = Field(
        default=(),
        repr=False,
        description="Keys that encrypt the secrets in the database, from `slatimer secrets new-key`: the first one "
        "encrypts, all decrypt. Without one they are stored readable.",
    )
    secret_keys_file: Path | None = Field(
        default=None,
        description="A file with such keys, one a line, as a secret manager mounts it. They come after those of "
        "SLATIMER_SECRET_KEYS.",
    )
    busy_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        description="SQLite: time to wait for the write lock of another process on the same file.",
    )
    wal_copy_rows: int = Field(
        default=1000,
        ge=1,
        description="SQLite: changed rows after which a thread beside the writer copies the write-ahead log into the "
        "database file (a checkpoint): some megabytes, in some milliseconds. SQLite does that within a commit "
        "otherwise, which then takes twice as long. Needs SQLite 3.51.3, as the package `pysqlite3` has it.",
    )
    wal_max_size: int = Field(
        default=64 * 2**20,
        ge=4 * 2**20,
        description="SQLite: bytes of the write-ahead log from which a commit copies what is left of it, so that it "
        "is reset also while the writer never rests. A long read lets it grow beyond. The file keeps the largest "
        "size that it had.",
    )
    group_commit_size: int = Field(
        default=128,
        ge=1,
        description="Maximum number of events of waiting pushes in one transaction. A larger push has a "
        "transaction of its own.",
    )
    push_part_size: int = Field(
        default=20,
        ge=1,
        description="Events of one push in one transaction; a larger push has several, between which other desks "
        "have theirs. All events of a ticket are in the same one.",
    )
    shared_batch_size: int = Field(
        default=4,
        ge=1,
        description="The same while other desks write too, and webhooks interpreted in one transaction then: a push of "
        "another desk waits for about 5 ms.",
    )
