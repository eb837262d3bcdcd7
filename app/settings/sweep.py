"""Settings of the sweep, which evaluates tickets when their next transition is due."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class SweepSettings(SettingsGroup):
    """Sweep"""

    sweep_poll_interval: timedelta = Field(
        default=timedelta(seconds=5),
        description="Maximum sleep of the sweep. It wakes earlier for the next due ticket; polling finds what "
        "other processes wrote.",
    )
    sweep_batch_size: int = Field(
        default=200,
        ge=1,
        description="Tickets in one transaction of the sweep, which takes about 50 ms.",
    )
    sweep_batch_time: timedelta = Field(
        default=timedelta(milliseconds=60),
        gt=timedelta(0),
        description="Time that the sweep may evaluate in one transaction, by what the last one took: the next event "
        "waits for it. Where tickets are slow to evaluate, a batch has fewer; a slow commit makes none smaller.",
    )
    sweep_busy_batch_size: int = Field(
        default=10,
        ge=1,
        description="Least number of tickets that the sweep evaluates at a time while events are pushed, which wait for "
        "it: about 4 ms, and of the contracts as large a part. On PostgreSQL each time is a transaction. On SQLite one "
        "goes on until a write waits, up to SLATIMER_SWEEP_BUSY_TRANSACTION_SIZE and SLATIMER_SWEEP_BATCH_TIME.",
    )
    sweep_busy_batch_time: timedelta = Field(
        default=timedelta(milliseconds=4),
        gt=timedelta(0),
        description="Time that the sweep may evaluate at a time while events are pushed, by what the last one "
        "took, where that is more than the least number: on a fast machine a batch has more tickets.",
    )
    sweep_busy_transaction_size: int = Field(
        default=50,
        ge=1,
        description="Tickets from which on a transaction of several such batches ends on SQLite, write or none: no "
        "event interrupts its commit, which takes as long with 15 as with 50, and two to three times as long with 200.",
    )
    sweep_busy_batches: int = Field(
        default=50,
        ge=0,
        description="Transactions of the sweep with such small batches after one beside which an event was pushed: a "
        "quarter of a second to a whole one, in which the next event is likely to come.",
    )
    sweep_contracts_batch_size: int = Field(
        default=100,
        ge=1,
        description="Contracts in one transaction of the sweep. Ten thousand are due at the end of a month: a batch "
        "must be short, since pushes wait for it.",
    )
    checkpoint_min_events: int = Field(
        default=200,
        ge=2,
        description="Events from which on a ticket's replay is cached, so that the next event costs what is new. "
        "A shorter log is read faster than a cache is worth.",
    )
    checkpoint_cache_size: int = Field(
        default=200,
        ge=0,
        description="Replays of long tickets that a process caches, the latest used ones. Each takes up to 0.5 MB.",
    )
    long_replay_min_events: int = Field(
        default=2_000,
        ge=2,
        description="Events from which on the replay of a ticket's whole log, after an event from before its last ones, "
        "is long: it takes 0.1 s, and pushes wait for it.",
    )
    long_replay_duty_cycle: float = Field(
        default=0.005,
        gt=0,
        le=1,
        description="Fraction of the time that long replays of one desk may take while other desks write. Those of a "
        "ticket of 20,000 events, 1 s each, are 200 s apart: no more than one push in 200 waits for one.",
    )
    long_replay_max_wait: timedelta = Field(
        default=timedelta(minutes=10),
        description="Maximum wait of a long replay. Meanwhile the view of the ticket answers from the log; its "
        "signals and lists of breaches wait.",
    )
    subject_log_cache_events: int = Field(
        default=50_000,
        ge=0,
        description="Events of services that a process caches, of the services used last. Each takes about 1 KB; "
        "with it a fact about a service does not read the earlier ones again.",
    )
    evaluation_backoff_initial: timedelta = Field(
        default=timedelta(seconds=30),
        description="Delay before the first retry of a ticket whose evaluation failed. It doubles with each "
        "failure.",
    )
    evaluation_backoff_max: timedelta = Field(
        default=timedelta(hours=1), description="Maximum delay between these retries."
    )
    availability_months: int = Field(
        default=24,
        ge=1,
        description="Months back in which a fact about a service still makes signals. Views count older ones too. An "
        "outage that stays open for years is judged for so many months at most.",
    )
    availability_resources_max: int = Field(
        default=1_000,
        ge=0,
        description="Resources of a service up to which those are judged too that no fact of the month names. An outage "
        "of the whole service is a breach of each.",
    )
