"""HaiSoft, France: two hours within 10-12 and 14-17, alerts within the hour, parts within four."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.cli.demo.tale import Tale, when_counted
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, instant, micros

_CUSTOMERS: Final = ("Atelier Morel", "Garage Duval", "Boulangerie Petit", "Lycée Rabelais", "Vélo Nantes")
_TITLES: Final = (
    "Server does not answer on port 443",
    "Disk almost full on vps-31",
    "Please renew the certificate of the shop",
    "Mail is refused by one provider",
    "Reverse DNS for a second address",
    "Backup of last night is missing",
    "How do I open port 8443?",
)

PARIS: Final = ZoneInfo("Europe/Paris")

SKIPS_LUNCH: Final = "H-LUNCH"
BREACHES_SOON: Final = "H-PART"

SOON: Final = 75 * SECOND
"""From the start of the demonstration to the breach that everybody can watch."""


def before_lunch(now: Micros) -> Micros:
    """11:30 in Paris of the last day on which that has passed: two hours from then skip lunch and end at 15:30."""
    local = instant(now).astimezone(PARIS)
    day = local.date() if local.time() > time(11, 31) else local.date() - timedelta(days=1)
    return micros(datetime.combine(day, time(11, 30), local.tzinfo))


def haisoft(calendars: Mapping[str, Calendar], now: Micros) -> Tale:
    """The past week at HaiSoft."""
    tale = Tale("haisoft", calendars, now, "H")
    _routine(tale)
    _alerts(tale)
    _lunch(tale)
    _part_due_soon(tale)
    _late_mail(tale)
    _open_now(tale)
    return tale


def _routine(tale: Tale) -> None:
    hours = tale.calendars["tickets"]
    for at in tale.transitions(11, 6, spare=10 * HOUR):
        thread = tale.ticket(
            at,
            title=tale.chance.choice(_TITLES),
            customer=tale.chance.choice(_CUSTOMERS),
            service=tale.chance.choice(("dedicated", "virtual")),
            priority=tale.chance.choice(("low", "normal", "normal", "high")),
            assignee=tale.chance.choice(("amelie", "bruno")),
        )
        answered = hours.after_us(tale.chance.choice((25, 50, 70, 95, 110, 150)) * MINUTE, at)
        thread.reply(answered).status(answered + 2 * SECOND, "open")
        solved = hours.after_us(tale.chance.randrange(30, 240) * MINUTE, answered)
        thread.reply(solved, "This is done.").status(solved + SECOND, "solved")
        thread.customer(solved + 3 * HOUR, "Thank you, it works.").status(solved + DAY, "closed")
    other = tale.ticket(
        tale.now - 30 * HOUR,
        title="Move of a domain",
        customer="Vélo Nantes",
        service="domain",
        priority="low",
    )
    other.reply(tale.now - 26 * HOUR, "The transfer code is on its way.")


def _alerts(tale: Tale) -> None:
    fields = {
        "author": "system",
        "channel": "monitoring",
        "service": "dedicated",
        "customer": "Lycée Rabelais",
    }
    quick = tale.ticket(tale.now - 50 * HOUR, title="Alert: ping lost on srv-12", **fields)
    quick.fact(tale.now - 50 * HOUR, "anomaly.detected", reference="ping srv-12")
    quick.fact(tale.now - 50 * HOUR + 18 * MINUTE, "intervention.started", author="bruno")
    quick.fact(tale.now - 49 * HOUR, "service.restored", author="bruno")
    quick.status(tale.now - 49 * HOUR + SECOND, "solved")
    by_itself = tale.ticket(tale.now - 9 * HOUR, title="Alert: load on srv-07", **fields)
    by_itself.fact(tale.now - 9 * HOUR, "anomaly.detected", reference="load srv-07")
    by_itself.fact(tale.now - 9 * HOUR + 21 * MINUTE, "service.restored", author="monitoring")
    by_itself.fact(tale.now - 35 * MINUTE, "anomaly.detected", reference="load srv-07")


def _lunch(tale: Tale) -> None:
    asked = before_lunch(tale.now)
    thread = tale.ticket(
        asked,
        name=SKIPS_LUNCH,
        title="The shop is slow since this morning",
        customer="Atelier Morel",
        service="dedicated",
        priority="high",
    )
    thread.reply(asked + 3 * HOUR + 20 * MINUTE, "A query without an index; we have added one.")


def _part_due_soon(tale: Tale) -> None:
    due_at = tale.now + SOON
    thread = tale.ticket(
        due_at - 4 * HOUR - 12 * MINUTE,
        name=BREACHES_SOON,
        title="Disk failure on srv-03",
        customer="Garage Duval",
        service="dedicated",
        category="hardware",
        priority="urgent",
    )
    thread.reply(due_at - 4 * HOUR, "We have read this; a new disk is on its way.")


def _late_mail(tale: Tale) -> None:
    """An answer in time that the service heard of too late: the breach that was told is taken back."""
    hours = tale.calendars["tickets"]
    asked = when_counted(hours, 9 * HOUR, tale.now)
    due = hours.after_us(2 * HOUR, asked)
    thread = tale.ticket(
        asked,
        title="Second address for vps-8",
        customer="Boulangerie Petit",
        service="virtual",
        priority="low",
    )
    thread.reply(hours.after_us(80 * MINUTE, asked), "Done.", heard_at=due + 40 * MINUTE)
    thread.status(due + 41 * MINUTE, "solved")


def _open_now(tale: Tale) -> None:
    """Clocks in every stage at this very moment, whatever the hour."""
    hours = tale.calendars["tickets"]
    for minutes, title, customer in (
        (20, "Cannot log in to the panel", "Vélo Nantes"),
        (65, "Database does not start after the update", "Atelier Morel"),
        (105, "Cron job runs twice", "Lycée Rabelais"),
        (150, "Certificate warning on the intranet", "Garage Duval"),
    ):
        asked = when_counted(hours, minutes * MINUTE, tale.now)
        tale.ticket(asked, title=title, customer=customer, service="virtual", priority="normal")
    wrong = tale.ticket(
        when_counted(hours, 45 * MINUTE, tale.now),
        title="Firewall rule",
        customer="Boulangerie Petit",
        service="",
    )
    mistaken = tale.now - 20 * MINUTE
    wrong.reply(mistaken, "Answer meant for another ticket.")
    wrong.fact(
        mistaken + 4 * MINUTE,
        "event.withdrawn",
        id=f"demo-{wrong.ticket}-2",
        author="amelie",
        reason="sent to the wrong ticket",
    )
