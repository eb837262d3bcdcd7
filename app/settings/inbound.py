"""Settings of inbound webhooks: what ticket systems send."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class InboundSettings(SettingsGroup):
    """Inbound webhooks"""

    inbound_max_body_size: int = Field(
        default=2_000_000,
        ge=1024,
        description="Maximum size of an inbound webhook in bytes, ten times the longest known message.",
    )
    inbound_batch_size: int = Field(
        default=10,
        ge=1,
        description="Inbound webhooks interpreted in one transaction, which takes about 15 ms.",
    )
    inbound_interpret_timeout: timedelta = Field(
        default=timedelta(seconds=2),
        gt=timedelta(0),
        description="Processor time for interpreting one inbound webhook; the largest take less than 0.1 s. One that "
        "takes longer stays in the inbox.",
    )
    inbound_duty_cycle: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Fraction of time spent on interpreting webhooks while others wait to be accepted. Senders "
        "are answered first.",
    )
    inbound_poll_interval: timedelta = Field(
        default=timedelta(seconds=5),
        description="Interval at which the reader polls for webhooks that other processes accepted.",
    )
    inbound_max_attempts: int = Field(
        default=5,
        ge=1,
        description="Attempts to store the events of a webhook while the database fails. After the last it "
        "stays in the inbox.",
    )
    inbound_retention: timedelta = Field(
        default=timedelta(days=14),
        description="Retention of interpreted webhooks, longer than any ticket system retries. Webhooks in the "
        "inbox are kept.",
    )
