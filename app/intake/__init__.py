"""Reading ticket systems' webhooks: pure translation from bytes to events, one module for each system.

No clock, no I/O, no logging: a request and a desk's configuration go in, a `Reading` comes out. Reading order:
`cloudevents`, `request`, `signature`, `mapping`, `adapter`, then any of the systems.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.expressions import adapter
from app.intake.mapping.source import Source
from app.intake.source_file import EXPRESSION
from app.intake.systems import (
    alertmanager,
    chatwoot,
    cloudevents,
    freescout,
    freshdesk,
    glpi,
    helpscout,
    pagerduty,
    whmcs,
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
    cloudevents.ADAPTER,
    adapter.ADAPTER,
)

ADAPTERS: Final[Mapping[str, Adapter]] = {adapter.system: adapter for adapter in _ALL}
"""Every ticket system by the name that stands in its address; `expression` stands for all that have none."""


def adapter_of(source: Source) -> Adapter:
    """The adapter that reads a source: that of its system, else one made of the expressions in the source itself."""
    known = None if source.system == EXPRESSION else ADAPTERS.get(source.system)
    return adapter.adapter_of(source) if known is None else known
