"""Settings of health checks and of the heartbeat."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class HealthSettings(SettingsGroup):
    """Health"""

    readiness_cache_ttl: timedelta = Field(
        default=timedelta(seconds=10),
        description="Time for which `/readyz` caches the result of the invariant checks.",
    )
    heartbeat_url: str | None = Field(
        default=None,
        description="URL requested periodically while breaches are detected on time. An external monitor alerts "
        "when the requests stop.",
    )
    heartbeat_interval: timedelta = Field(
        default=timedelta(minutes=1), description="Interval of the heartbeat."
    )
