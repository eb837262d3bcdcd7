"""Grafana Alerting adapter: the webhook of a contact point, with alerts as Alertmanager writes them.

From version 12 on Grafana can sign the body, with or without a time. Every version can send a secret in a header.
"""

from dataclasses import replace
from typing import Final

from app.intake.systems import alertmanager

ADAPTER: Final = replace(
    alertmanager.ADAPTER,
    system="grafana",
    label="Grafana Alerting",
    schemes=("token", "grafana-timed", "grafana"),
    events_to_tick=("firing", "resolved (not: Disable resolved message)"),
    template="""\
Contact point, integration: Webhook
URL: <URL>
HTTP method: POST
Authorization header, scheme: Bearer
Authorization header, credentials: <SECRET>
""",
)
