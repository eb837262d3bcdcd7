"""Settings of Redis and of worker processes."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from app.settings.group import SettingsGroup

_TCP_SCHEMES: Final = ("redis", "rediss")


class WorkerSettings(SettingsGroup):
    """Workers"""

    redis_url: str | None = Field(
        default=None,
        description="Redis for workers (redis://HOST:6379/0). With it web processes leave sweep and delivery to "
        "`slatimer worker`; without it they do both themselves.",
    )
    redis_connect_timeout: timedelta = Field(
        default=timedelta(seconds=1), description="Timeout for connecting to Redis."
    )
    worker_concurrency: int = Field(
        default=100, ge=1, description="Maximum number of jobs that a worker runs at once."
    )
    worker_poll_interval: timedelta = Field(
        default=timedelta(milliseconds=50),
        description="Interval at which a worker polls Redis for jobs. arq's default of half a second would "
        "delay each job.",
    )
    job_timeout: timedelta = Field(
        default=timedelta(seconds=30),
        description="Timeout of one job. The job of a worker that died runs again ten seconds after this.",
    )
    worker_sweep_interval: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="Interval of the sweep that arq schedules, a fallback for lost wake-ups.",
    )

    @field_validator("redis_url")
    @classmethod
    def _is_redis_url(cls, url: str | None) -> str | None:
        """Refuse what the Redis client cannot read: another scheme, a port or a database that is no number."""
        if url is not None and not _readable(url):
            raise ValueError("is not a Redis URL. Write one, such as redis://HOST:6379/0")
        return url


def _readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is no number
    except ValueError:
        return False
    database = parts.path.strip("/")
    return parts.scheme == "unix" or (parts.scheme in _TCP_SCHEMES and (not database or database.isdecimal()))
