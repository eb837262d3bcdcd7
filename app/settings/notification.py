"""Settings of notifications: short messages to people, by mail, chat and paging services."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup
from app.settings.listed import Listed


class NotificationSettings(SettingsGroup):
    """Notifications"""

    notification_group_wait: timedelta = Field(
        default=timedelta(seconds=5),
        description="Time to collect signals before the first notification of a group is sent.",
    )
    notification_group_interval: timedelta = Field(
        default=timedelta(minutes=1),
        description="Minimum interval between two notifications of one subscription.",
    )
    notification_language: str = Field(
        default="en",
        pattern="^(en|fr|nl|it|vi)$",
        description="Language of notifications if the subscription names none: en, fr, nl, it, vi.",
    )
    notification_schemes: Listed[str] = Field(
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
        ),
        description="Allowed kinds of channels, by URL scheme, with commas. `json` and `jsons` post to any host "
        "that deliveries may connect to.",
    )
    notification_max_tickets: int = Field(
        default=10,
        ge=1,
        description="Tickets listed in one notification, what fits on a phone; the rest is counted.",
    )
    notification_max_recipients: int = Field(
        default=50, ge=1, description="Maximum recipients of one mail; a mailing list serves more."
    )
    notification_concurrency: int = Field(
        default=256,
        ge=1,
        description="Maximum mails sent at the same time, each in a thread. Several times "
        "`delivery_desk_concurrency`, so that no desk uses them up.",
    )
