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
    metrics_cache_ttl: timedelta = Field(
        default=timedelta(seconds=15),
        description="Time for which `/metrics` caches the numbers of clocks: as long as most scrape intervals.",
    )
    metrics_at_risk_window: timedelta = Field(
        default=timedelta(hours=1),
        description="A running clock that is due within this time counts as at risk.",
    )
    metrics_max_commitments: int = Field(
        default=500,
        ge=1,
        description="Commitments of desks with numbers of clocks of their own in `/metrics`; the rest share one label.",
    )
    heartbeat_url: str | None = Field(
        default=None,
        description="URL requested periodically while breaches are detected on time. An external monitor alerts "
        "when the requests stop.",
    )
    heartbeat_interval: timedelta = Field(
        default=timedelta(minutes=1), description="Interval of the heartbeat."
    )
