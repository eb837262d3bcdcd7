"""A merge whose source system does not name the target, as Zammad sends it."""

from tests.service import Service, created, event

MERGED = event("m", "ticket.merged", "source", "2026-03-02T08:45:00+01:00", into=None)


def test_a_merge_into_a_ticket_that_is_not_named_ends_the_clocks(service: Service) -> None:
    service.push(created("source", "2026-03-02T08:00:00+01:00"), MERGED)
    assert service.view("haisoft", "source")["flags"] == []
    assert service.rows("SELECT state FROM clock WHERE ticket = 'source'") == [("cancelled",)]
    assert service.rows("SELECT merged_into FROM ticket WHERE ticket = 'source'") == [(None,)]


def test_a_target_that_is_named_later_takes_the_wait_over(service: Service) -> None:
    service.push(
        created("source", "2026-03-02T08:00:00+01:00"),
        created("target", "2026-03-02T08:30:00+01:00", customer="Other"),
        MERGED,
    )
    alone = service.clock_of("haisoft", "target", "ticket-response")["started_at"]
    service.push(event("named", "ticket.merged", "source", "2026-03-02T08:46:00+01:00", into="target"))
    assert service.clock_of("haisoft", "target", "ticket-response")["started_at"] < alone
