"""The adapters of all ticket systems and monitors, by name. Only what reads webhooks and files of sources imports it."""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.expressions import adapter as expressions
from app.intake.mapping.source import Source
from app.intake.source_file import EXPRESSION
from app.intake.systems import (
    alertmanager,
    chatwoot,
    cloudevents,
    freescout,
    freshdesk,
    glpi,
    grafana,
    healthchecks,
    helpscout,
    icinga,
    pagerduty,
    statuspage,
    uptime_kuma,
    whmcs,
    zabbix,
    zammad,
)
from app.intake.systems.jira import issue
from app.intake.systems.zendesk import subscription, trigger

_ALL: Final = (
    subscription.ADAPTER,
    trigger.ADAPTER,
    issue.ADAPTER,
    zammad.ADAPTER,
    whmcs.ADAPTER,
    freshdesk.ADAPTER,
    glpi.ADAPTER,
    freescout.ADAPTER,
    helpscout.ADAPTER,
    chatwoot.ADAPTER,
    pagerduty.ADAPTER,
    alertmanager.ADAPTER,
    grafana.ADAPTER,
    uptime_kuma.ADAPTER,
    icinga.ADAPTER,
    icinga.NAGIOS,
    zabbix.ADAPTER,
    healthchecks.ADAPTER,
    statuspage.ADAPTER,
    cloudevents.ADAPTER,
    expressions.ADAPTER,
)

ADAPTERS: Final[Mapping[str, Adapter]] = {adapter.system: adapter for adapter in _ALL}
"""Adapters by the system's name in the webhook URL. `expression` reads the systems that a source file describes."""


def adapter_of(source: Source) -> Adapter:
    """The adapter for a source: its system's own, else one built from the expressions in the source."""
    known = None if source.system == EXPRESSION else ADAPTERS.get(source.system)
    return expressions.adapter_of(source) if known is None else known
