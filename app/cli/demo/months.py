"""What desks are judged by for a month: outages, maintenance, calls, interventions, claims, in this month and the last.

Those of the last month lie at fixed days of it, those of the present one so long ago, however old the month is.
"""

from typing import Final

from app.cli.demo.desk_history import DeskHistory, start_of_open_time
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_PAST_WAITS: Final = (20, 35, 50, 62, 70, 41, 90, 130, 55, 44, 38, 75, 100, 66, None, 28)
_WAITS: Final = (80, 95, 120, 45, 160, 110, None, 85, 70, 130, 105, 60)
"""Seconds that callers waited: below the limit of 90 on average last month, above it in this one. None: they gave up."""

_CALLERS: Final = ("Lycée Rabelais", "Boulangerie Petit", "Atelier Morel", "Vélo Nantes")

OWED_TO: Final = "V-301"
"""The contract of the customer at HVN whose claim was granted."""


def haisoft_months(desk: DeskHistory) -> None:
    """The network down for more than an hour last month; a virtual server down now; calls; the emergency line."""
    month, now = desk.last_month("Europe/Paris"), desk.now
    desk.outage(month + 6 * DAY + 9 * HOUR, 80 * MINUTE, "network", "N-1", cause="fibre cut")
    desk.outage(
        month + 16 * DAY, 190 * MINUTE, "dedicated", "S-12", cause="hardware", resource="srv-12.haisoft.net"
    )
    planned = month + 20 * DAY + 22 * HOUR
    desk.maintenance(planned - 3 * DAY, planned, planned + HOUR, "virtual", resource="vps-7")
    desk.outage(planned, 40 * MINUTE, "virtual", "V-7", cause="maintenance", resource="vps-7")
    desk.outage(now - 70 * HOUR, 12 * MINUTE, "network", "N-2", cause="router")
    desk.outage(now - 31 * HOUR, 15 * MINUTE, "virtual", "V-9", cause="hardware", resource="vps-9")
    # It uses up what the month may have within the quarter of an hour.
    desk.outage(now - 9 * MINUTE, None, "virtual", "V-5", cause="hardware", resource="vps-5")
    _calls(desk, month)


def _calls(desk: DeskHistory, month: Micros) -> None:
    hours = desk.calendars["phone"]
    # A day of the phone has five hours: each call an hour or more before the end of one.
    past = [
        hours.after_us(n * 5 * HOUR - (60 + 17 * (n % 9)) * MINUTE, month)
        for n in range(1, len(_PAST_WAITS) + 1)
    ]
    recent = [start_of_open_time(hours, n * 50 * MINUTE, desk.now) for n in range(len(_WAITS), 0, -1)]
    for at, waited in zip((*past, *recent), (*_PAST_WAITS, *_WAITS), strict=True):
        caller = desk.random.choice(_CALLERS)
        desk.call(at, None if waited is None else waited * SECOND, "support", caller)
    for at, caller in ((month + 9 * DAY + 3 * HOUR, _CALLERS[0]), (desk.now - 38 * HOUR, _CALLERS[2])):
        desk.call(at, 15 * SECOND, "emergency", caller)


def clamehost_months(desk: DeskHistory) -> None:
    """An outage that was claimed in time, a scheduled update that does not count, and a short outage of this month."""
    month, now = desk.last_month("Europe/Rome"), desk.now
    began = month + 8 * DAY + 14 * HOUR
    desk.outage(began, 55 * MINUTE, "hosting", "H-1", cause="hardware")
    desk.fact(began + DAY, "outage.verified", "service:hosting", reference="H-1", cause="hardware")
    claim = desk.ticket(
        began + 3 * DAY, title="Credito per il fermo", customer="Trattoria Rossi", kind="claim"
    )
    claim.event(began + 4 * DAY, "claim.answered", accepted=True).status(began + 4 * DAY + SECOND, "solved")
    desk.outage(month + 17 * DAY + HOUR, 2 * HOUR, "web", "W-1", cause="scheduled_update")
    desk.outage(now - 45 * HOUR, 25 * MINUTE, "mail", "M-1", cause="network")
    desk.outage(now - 20 * HOUR, 90 * MINUTE, "web", "W-2", cause="third_party")


def hvn_months(desk: DeskHistory) -> None:
    """Seven hours down and a claim, maintenance in the past and ahead, and an outage of this month."""
    month, now = desk.last_month("Asia/Ho_Chi_Minh"), desk.now
    began = month + 11 * DAY + 8 * HOUR
    desk.outage(began, 7 * HOUR + 30 * MINUTE, "Cloud VPS", "VPS-1", cause="hardware")
    claim = desk.ticket(
        began + 5 * DAY, title="Bồi thường uptime Cloud VPS", customer="Cà phê Sáng", kind="claim"
    )
    claim.event(began + 12 * DAY, "claim.answered", accepted=True)
    planned = month + 18 * DAY + 22 * HOUR
    desk.maintenance(planned - 3 * DAY, planned, planned + 2 * HOUR, "Hosting")
    desk.outage(planned + 5 * MINUTE, 100 * MINUTE, "Hosting", "HOST-1", cause="maintenance")
    desk.outage(now - 52 * HOUR, 52 * MINUTE, "DNS", "DNS-1", cause="network")
    desk.outage(now - 27 * HOUR, 3 * HOUR, "Email Server", "MAIL-1", cause="isp")
    desk.maintenance(now - 2 * HOUR, now + 2 * DAY, now + 2 * DAY + 2 * HOUR, "Email Server")


def phpnet_months(desk: DeskHistory) -> None:
    """A missed delay whose credit was requested and granted."""
    hours, month = desk.calendars["desk"], desk.last_month("Europe/Paris")
    late = hours.after_us(30 * HOUR, month)
    ticket = _intervention(desk, late, began=hours.after_us(6 * HOUR, late))
    credit = f"phpnet.gti-credit.P-2001.ticket.{ticket}"
    for days, decided, reason in (
        (9, "requested", "asked by telephone"),
        (10, "granted", "the delay was missed"),
    ):
        at = late + days * DAY
        desk.fact(at, f"credit.{decided}", "contract:P-2001", credit=credit, author="didier", reason=reason)


def _intervention(desk: DeskHistory, opened: Micros, *, began: Micros) -> str:
    """An intervention under a contract, and its call."""
    history = desk.ticket(
        opened,
        title="Mise à jour du CMS",
        customer="Mairie de Valoire",
        kind="intervention",
        category="software",
        queue="infogerance",
    )
    history.event(opened + 5 * MINUTE, "call.registered", author="didier")
    history.event(began, "intervention.started", author="elodie")
    history.status(began + 50 * MINUTE, "solved")
    return history.ticket
