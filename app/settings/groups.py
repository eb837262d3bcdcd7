"""`Settings`: all groups in one immutable object."""

from typing import Final

from app.settings.database import DatabaseSettings
from app.settings.delivery import DeliverySettings
from app.settings.embed import EmbedSettings
from app.settings.group import SettingsGroup
from app.settings.health import HealthSettings
from app.settings.inbound import InboundSettings
from app.settings.notification import NotificationSettings
from app.settings.provider import ProviderSettings
from app.settings.quota import QuotaSettings
from app.settings.replay import ReplaySettings
from app.settings.report import ReportSettings
from app.settings.retention import RetentionSettings
from app.settings.server import ServerSettings
from app.settings.sign_in import SignInSettings
from app.settings.simulation import SimulationSettings
from app.settings.sweep import SweepSettings
from app.settings.transfer import TransferSettings
from app.settings.worker import WorkerSettings

GROUPS: Final[tuple[type[SettingsGroup], ...]] = (
    ServerSettings,
    QuotaSettings,
    DatabaseSettings,
    WorkerSettings,
    SweepSettings,
    InboundSettings,
    EmbedSettings,
    DeliverySettings,
    NotificationSettings,
    ReplaySettings,
    TransferSettings,
    ReportSettings,
    SimulationSettings,
    RetentionSettings,
    HealthSettings,
    SignInSettings,
    ProviderSettings,
)
"""The groups in the order of the documentation. The first line of a group's docstring is its heading there."""


class Settings(
    ServerSettings,
    QuotaSettings,
    DatabaseSettings,
    WorkerSettings,
    SweepSettings,
    InboundSettings,
    EmbedSettings,
    DeliverySettings,
    NotificationSettings,
    ReplaySettings,
    TransferSettings,
    ReportSettings,
    SimulationSettings,
    RetentionSettings,
    HealthSettings,
    SignInSettings,
    ProviderSettings,
):
    """Every setting of every group."""
