"""A preview compares with the stored clocks only where they hold: not those that are due, or were evaluated since."""

from app.flow.agreement.desk_files import DeskFile, desk_file
from app.flow.agreement.plan import Proposal, plans
from app.flow.agreement.preview import Preview, preview
from app.sla.agreement.rule import Kind
from app.sla.agreement.version import AppliesTo
from app.sla.span import HOUR
from tests.credit_office import CreditOffice
from tests.service import ROOT, Service


def with_ticket(service: Service) -> CreditOffice:
    """A desk whose hours are 10 to 12 and 14 to 17, with a ticket that must have a response by noon."""
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    office.fact("ticket.created", "1", "2026-11-03 10:00", customer="ACME", service="dedicated")
    return office


def closed_that_day() -> DeskFile:
    shipped = (ROOT / "calendars" / "haisoft.toml").read_text()
    table = "[calendars.tickets]\n"
    assert table in shipped
    text = shipped.replace(table, f'{table}overrides = {{ "2026-11-03" = [] }}\n')
    return desk_file("calendars/haisoft.toml", "haisoft", text)


def test_a_breach_that_the_sweep_has_not_recorded_yet_falls_away_too(service: Service) -> None:
    office = with_ticket(service)
    service.clock.now = office.at("2026-11-03 12:30")
    run = service.preview(closed_that_day(), to=AppliesTo.OPEN)
    assert run.effects.fall_away == {Kind.GUARANTEE: 1}
    service.sweeper.sweep_now()
    swept = service.preview(closed_that_day(), to=AppliesTo.OPEN)
    assert (swept.effects.fall_away, swept.effects.changes) == (run.effects.fall_away, run.effects.changes)


def test_what_happens_while_a_preview_runs_is_no_part_of_it(service: Service) -> None:
    office = with_ticket(service)
    now = service.clock.now
    proposal = Proposal([closed_that_day()], applies_to=AppliesTo.OPEN)
    run = service.database.read_now(
        lambda conn: Preview(plans(conn, now, service.catalogue, proposal), now, budget=600.0, most_changes=9)
    )
    service.clock.now = now + HOUR
    office.fact("agent.replied", "1", "2026-11-03 11:00", author="agent")
    service.database.read_now(lambda conn: preview(conn, service.catalogue, run))
    assert [(each.ticket, each.old_due_at) for each in run.effects.changes] == [
        ("1", office.at("2026-11-03 12:00"))
    ]
    assert (run.effects.begin, run.effects.end) == (0, 0)
