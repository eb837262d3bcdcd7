"""Settings of retention: archiving closed tickets and maintaining partitions."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class RetentionSettings(SettingsGroup):
    """Retention"""

    retention_interval: timedelta = Field(
        default=timedelta(hours=1),
        description="Interval of the retention job: it archives tickets and creates and drops partitions.",
    )
    archive_after: timedelta = Field(
        default=timedelta(days=30),
        description="A ticket that ended this long ago is archived: its final view is stored as one document.",
    )
    keep_audit: timedelta = Field(
        default=timedelta(days=365),
        description="Retention of the audit log: a year covers the period that an auditor asks for.",
    )
    partitions_ahead: int = Field(
        default=3,
        ge=1,
        description="Monthly partitions of the event log on PostgreSQL that exist in advance, with the current "
        "one.",
    )
