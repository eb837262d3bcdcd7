"""Settings of reports: how much one answer may count."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class ReportSettings(SettingsGroup):
    """Reports"""

    report_span_max: timedelta = Field(
        default=timedelta(days=3653),
        ge=timedelta(days=1),
        description="Span of one report: ten years, as much as `at` may lie ahead.",
    )
    report_periods_max: int = Field(
        default=400,
        ge=1,
        description="Periods of one report: a year by day fits, and ten years by month.",
    )
    report_splits_max: int = Field(
        default=3,
        ge=1,
        le=9,
        description="Fields by which one report is split. Each multiplies its rows.",
    )
    report_rows_max: int = Field(
        default=20_000,
        ge=1,
        description="Rows of one report; one with more is refused. A year by day for fifty assignees fits, and it is as "
        "much as a person filters in a spreadsheet.",
    )
    report_as_of_tickets_max: int = Field(
        default=5000,
        ge=1,
        description="Tickets that a report as of an earlier instant evaluates again from their events, which takes half "
        "a millisecond each.",
    )
    report_kept_max: int = Field(
        default=20_000,
        ge=0,
        description="Ended periods of which a desk's reports keep their figures, each for one measure and split; the "
        "oldest go first. Twenty thousand take some ten megabytes. 0: none is kept, and each report counts again.",
    )
    report_poll_interval: timedelta = Field(
        default=timedelta(minutes=1),
        ge=timedelta(seconds=1),
        description="How often new subscriptions to reports are looked for. At the end of a week or month the reports "
        "are made at once.",
    )
