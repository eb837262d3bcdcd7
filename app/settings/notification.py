"""Settings of notifications: short messages to people, through apprise."""

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
            "sendgrid",
            "mailgun",
        ),
        description="Allowed apprise URL schemes, with commas. Others reach arbitrary hosts or act on this "
        "machine.",
    )
