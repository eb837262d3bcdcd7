"""Settings of outbound webhooks: retries, timeouts, concurrency, and endpoints that are disabled."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from app.settings.group import SettingsGroup
from app.settings.listed import Listed


class DeliverySettings(SettingsGroup):
    """Delivery"""

    allow_networks: Listed[IPv4Network | IPv6Network] = Field(
        default=(),
        description="Private networks (CIDR, with commas) that deliveries may reach, also by plain HTTP.",
    )
    delivery_max_age: timedelta = Field(
        default=timedelta(hours=24),
        description="A signal dated longer ago than this when it is recorded is not delivered.",
    )
    delivery_retry_schedule: Listed[timedelta] = Field(
        default=(
            timedelta(seconds=5),
            timedelta(minutes=5),
            timedelta(minutes=30),
            timedelta(hours=2),
            timedelta(hours=5),
            timedelta(hours=10),
            timedelta(hours=14),
            timedelta(hours=20),
            timedelta(hours=24),
        ),
        description="Delays between the attempts of one delivery, with commas. After the last attempt, three "
        "days later, the delivery is parked.",
    )
    delivery_retry_jitter: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Maximum random extension of a delay, as a fraction of it: spreads retries after an outage.",
    )
    delivery_retry_after_max: timedelta = Field(
        default=timedelta(hours=1),
        description="Maximum delay accepted from a Retry-After header. The header never shortens a delay.",
    )
    delivery_connect_timeout: timedelta = Field(
        default=timedelta(seconds=5), description="Timeout for connecting to an endpoint."
    )
    delivery_timeout: timedelta = Field(
        default=timedelta(seconds=20), description="Timeout of one attempt as a whole."
    )
    delivery_max_response_size: int = Field(
        default=16_384, ge=0, description="Maximum bytes read of an endpoint's response, which is not used."
    )
    delivery_concurrency: int = Field(
        default=8,
        ge=1,
        description="Maximum concurrent attempts at one endpoint in one process. A slow endpoint does not delay "
        "others.",
    )
    delivery_desk_concurrency: int = Field(
        default=64,
        ge=1,
        description="Maximum deliveries in flight for one desk in one process: a desk with many slow endpoints leaves "
        "connections and threads to the others.",
    )
    delivery_lookups: int = Field(
        default=32, ge=1, description="Maximum concurrent DNS look-ups, each in a thread."
    )
    delivery_desk_lookups: int = Field(
        default=4,
        ge=1,
        description="Maximum of these for one desk, so that names that hang delay no other desk.",
    )
    delivery_poll_interval: timedelta = Field(
        default=timedelta(seconds=1),
        description="Interval at which the database is polled for deliveries of other processes.",
    )
    endpoint_max_failures: int = Field(
        default=20,
        ge=1,
        description="An endpoint is disabled after this many consecutive failures, if it also exceeds "
        "`endpoint_max_downtime`.",
    )
    endpoint_max_downtime: timedelta = Field(
        default=timedelta(days=5), description="Time without a success after which it is disabled."
    )
    secret_grace_period: timedelta = Field(
        default=timedelta(hours=24),
        description="Time for which the former secret of a connection or subscription stays valid after a "
        "rotation.",
    )
