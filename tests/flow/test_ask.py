"""How it stands, how it stood, and what was known: tickets, desks, queues, breaches."""

import pytest

from app.flow.query import desks, queues, tickets
from app.flow.query.queues import UnknownQueue
from app.flow.query.reasons import span_text
from app.flow.query.tickets import BreachFilters, Filters, NothingKnownYet
from app.sla.clock.explanation import NoSuchClock
from app.store.contracts.catalogue import UnknownDesk
from tests.service import Service, at, created, event


def push_march_in_may(service: Service) -> None:
    service.clock.set("2026-05-04T10:00:00+02:00")
    service.push(
        created("4711", "2026-03-02T10:00:00+01:00"),
        event("r", "agent.replied", "4711", "2026-03-02T11:00:00+01:00", author="agent"),
    )


def test_what_is_pushed_today_answers_for_march(service: Service) -> None:
    push_march_in_may(service)
    clock = service.clock_of("haisoft", "4711", "ticket-response", at="2026-03-02T10:30:00+01:00")
    assert (clock["state"], clock["counted_seconds"]) == ("running", 1800)
    clock = service.clock_of("haisoft", "4711", "ticket-response", at="2026-03-02T11:30:00+01:00")
    assert (clock["state"], clock["met"]) == ("stopped", True)


def test_as_of_before_the_arrival_nothing_was_known(service: Service) -> None:
    push_march_in_may(service)
    with pytest.raises(NothingKnownYet):
        service.view("haisoft", "4711", as_of="2026-05-04T09:00:00+02:00")
    assert service.view("haisoft", "4711", as_of="2026-05-04T10:00:00+02:00")["ticket"] == "4711"


def test_at_an_instant_before_everything_nothing_had_happened(service: Service) -> None:
    push_march_in_may(service)
    with pytest.raises(NothingKnownYet):
        service.view("haisoft", "4711", at="2026-03-02T09:59:59+01:00")


def test_an_unknown_ticket_and_an_unknown_desk_are_different_errors(service: Service) -> None:
    with pytest.raises(NothingKnownYet):
        service.view("haisoft", "nobody")
    with pytest.raises(UnknownDesk):
        service.view("nowhere", "4711")


def test_at_and_as_of_together_ask_for_the_earlier_of_the_two(service: Service) -> None:
    push_march_in_may(service)
    view = service.view("haisoft", "4711", at="2026-06-01T00:00:00+02:00", as_of="2026-05-04T10:00:00+02:00")
    assert (view["at"], view["as_of"]) == ("2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z")


def test_a_future_instant_shows_what_comes_if_nothing_else_happens(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    clock = service.clock_of("haisoft", "4711", "ticket-response", at="2026-03-02T15:00:00+01:00")
    assert (clock["breached_at"], clock["detected_at"]) == ("2026-03-02T11:00:00Z", None)


def test_reading_writes_nothing(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    before = service.rows("SELECT * FROM ticket"), service.rows("SELECT * FROM signal")
    service.clock.set("2026-03-05T09:00:00+01:00")
    service.view("haisoft", "4711")
    assert (service.rows("SELECT * FROM ticket"), service.rows("SELECT * FROM signal")) == before


def test_an_explanation_adds_up_to_the_target(service: Service) -> None:
    service.clock.set("2026-03-02T11:30:00+01:00")
    service.push(created("4711", "2026-03-02T11:00:00+01:00"))
    answer = service.database.read_now(
        lambda conn: tickets.ticket_answer(conn, service.catalogue, "haisoft", "4711", now=service.clock.now)
    )
    recorded = tickets.explanation(answer, "ticket-response")
    assert recorded.spans[-1].total == recorded.target_length
    assert "lunch gap" in {span_text(span) for span in recorded.spans}
    with pytest.raises(NoSuchClock):
        tickets.explanation(answer, "nothing")


def listed(service: Service, filters: Filters) -> list[str]:
    page = service.database.read_now(
        lambda conn: tickets.tickets_page(conn, service.catalogue, filters, None, 50, now=service.clock.now)
    )
    return [answer.ticket for answer in page.items]


@pytest.fixture
def mixed(service: Service) -> Service:
    service.clock.set("2026-03-02T12:30:00+01:00")
    service.push(
        created("late", "2026-03-02T10:00:00+01:00", customer="A", assignee="Ann"),
        created("soon", "2026-03-02T10:30:00+01:00", customer="B"),
        created("met", "2026-03-02T10:30:00+01:00", customer="C"),
        event("r", "agent.replied", "met", "2026-03-02T11:00:00+01:00", author="agent"),
        created("other", "2026-03-02T11:00:00+01:00", desk="webxtra", customer="D", kind="claim"),
    )
    return service


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), ["late", "soon", "other", "met"]),
        (Filters(desks=frozenset({"haisoft"})), ["late", "soon", "met"]),
        (Filters(desks=frozenset({"haisoft"}), state="running"), ["late", "soon"]),
        (Filters(breached=True), ["late"]),
        (Filters(desks=frozenset({"haisoft"}), breached=False), ["soon", "met"]),
        (Filters(due_before=at("2026-03-02T14:00:00+01:00")), ["late"]),
        (Filters(assignee="Ann"), ["late"]),
        (Filters(customer="B"), ["soon"]),
        (Filters(commitment="ticket-response", state="stopped"), ["met"]),
        (Filters(desks=frozenset({"haisoft"}), kind="guarantee"), ["late", "soon", "met"]),
        (Filters(desks=frozenset({"haisoft"}), kind="objective"), []),
        (Filters(kind="claim"), ["other"]),
        (Filters(desks=frozenset({"haisoft"}), queue="default"), ["late", "soon", "met"]),
    ],
)
def test_lists_are_filtered_and_come_next_due_first(
    mixed: Service, filters: Filters, found: list[str]
) -> None:
    assert listed(mixed, filters) == found


def test_a_desk_is_shown_with_its_hours_and_counts(mixed: Service) -> None:
    mixed.sweeper.sweep_now()
    (desk,) = mixed.database.read_now(
        lambda conn: desks.desks_overview(conn, mixed.catalogue, ["haisoft", "nowhere"], mixed.clock.now)
    )
    hours = desk.hours[0]
    assert (hours.name, hours.open_now, hours.why) == ("haisoft/tickets", False, "lunch gap")
    assert hours.until == at("2026-03-02T14:00:00+01:00")
    counts = desk.counts
    assert (counts.overdue, counts.due_before_closing, counts.running, counts.awaiting) == (1, 1, 2, 0)


def test_tomorrow_s_holiday_is_named(service: Service) -> None:
    (desk,) = service.database.read_now(
        lambda conn: desks.desks_overview(
            conn, service.catalogue, ["webxtra"], at("2026-04-26T10:00:00+02:00")
        )
    )
    holiday = desk.hours[0].holiday_tomorrow
    assert holiday is not None
    assert "King" in holiday.name


def test_breaches_come_latest_first_and_an_acknowledgement_stays_the_first(mixed: Service) -> None:
    mixed.clock.set("2026-03-02T16:00:00+01:00")
    mixed.sweeper.sweep_now()

    def page(filters: BreachFilters) -> list[tickets.Breach]:
        found = mixed.database.read_now(lambda conn: tickets.breaches_page(conn, filters, None, 10))
        return list(found.items)

    late_first = page(BreachFilters(desks=frozenset({"haisoft"})))
    assert [breach.subject.text for breach in late_first] == ["soon", "late"]
    assert page(BreachFilters(until=at("2026-03-02T12:00:00.000001+01:00"))) == late_first[1:]
    assert page(BreachFilters(unsettled=False)) == []
    breach_id = late_first[0].id
    for author in ("Ann", "Bob"):
        seen = mixed.database.write_now(
            lambda conn, now, author=author: tickets.acknowledge(conn, breach_id, author, None, now)
        )
        assert seen is not None
        assert seen.acknowledgement is not None
        assert seen.acknowledgement.author == "Ann"
    assert (
        mixed.database.write_now(lambda conn, now: tickets.acknowledge(conn, "sig_x", "Ann", None, now))
        is None
    )


def test_a_queue_is_shown_in_its_order_with_its_moves(service: Service) -> None:
    service.clock.set("2026-03-02T12:30:00+01:00")
    mail: dict[str, str] = {"desk": "webxtra", "title": "Mail", "domain": "a.example"}
    service.push(
        created("first", "2026-03-02T10:00:00+01:00", customer="A", **mail),
        created("second", "2026-03-02T10:10:00+01:00", customer="B", **mail),
        event(
            "again",
            "customer.replied",
            "first",
            "2026-03-02T10:20:00+01:00",
            desk="webxtra",
            author="customer",
        ),
        created("managed", "2026-03-02T10:30:00+01:00", customer="C", plan="managed", **mail),
    )
    line = service.database.read_now(
        lambda conn: queues.queue_answer(conn, service.catalogue, "webxtra", "default", service.clock.now)
    )
    assert [(one.ticket, one.position) for one in line.waiting] == [
        ("managed", 1),
        ("second", 2),
        ("first", 3),
    ]
    assert line.waiting[2].moves[-1].cause == "repeat_message"
    assert [signal["ticket"] for signal in service.signals("queue.moved")] == ["first"]
    with pytest.raises(UnknownQueue):
        service.database.read_now(
            lambda conn: queues.queue_answer(conn, service.catalogue, "webxtra", "nowhere", service.clock.now)
        )


def test_a_move_is_recorded_with_its_positions_before_and_after(service: Service) -> None:
    service.clock.set("2026-03-02T12:30:00+01:00")
    for number, customer in enumerate("AB"):
        service.push(
            created(f"T{number}", f"2026-03-02T10:0{number}:00+01:00", desk="webxtra", customer=customer)
        )
    service.push(
        event(
            "again", "customer.replied", "T0", "2026-03-02T10:20:00+01:00", desk="webxtra", author="customer"
        )
    )
    (moved,) = service.signals("queue.moved")
    assert (moved["position_before"], moved["position_after"], moved["cause"]) == (1, 2, "repeat_message")


def test_a_duplicate_moves_the_earlier_ticket_and_records_it(service: Service) -> None:
    service.clock.set("2026-03-02T12:30:00+01:00")
    for ticket, customer in (("first", "A"), ("between", "B"), ("again", "A")):
        minute = {"first": "00", "between": "10", "again": "20"}[ticket]
        service.push(
            created(
                ticket, f"2026-03-02T10:{minute}:00+01:00", desk="webxtra", customer=customer, title="Mail"
            )
        )
    (moved,) = service.signals("queue.moved")
    assert (moved["ticket"], moved["cause"]) == ("first", "duplicate")
    assert service.view("webxtra", "first")["queue"]["position"] == 2
    assert service.view("webxtra", "again")["queue"]["position"] == 3


def test_a_message_now_would_cost_the_place(service: Service) -> None:
    service.clock.set("2026-03-02T12:30:00+01:00")
    for number, customer in enumerate("AB"):
        service.push(
            created(f"T{number}", f"2026-03-02T10:0{number}:00+01:00", desk="webxtra", customer=customer)
        )
    found = service.database.read_now(
        lambda conn: queues.queue_forecast(
            conn,
            service.catalogue,
            "webxtra",
            "default",
            "T0",
            tickets.ticket_answer(conn, service.catalogue, "webxtra", "T0", now=service.clock.now).evaluation,
            service.clock.now,
        )
    )
    assert (found.forecast.position_now, found.forecast.position_then) == (1, 2)
    assert found.forecast.expected_reply_at is None
    assert found.in_time is None
