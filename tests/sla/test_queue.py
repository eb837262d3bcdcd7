"""Each sentence about queues, as a day at the desk."""

from dataclasses import replace

import pytest

from app.sla.event import Event
from app.sla.queue.waiting import moves, wait_intervals
from tests.sla.waiting_room import KEEPS, WEBXTRA, WaitingRoom, on_the_day

SCRIPTS = {"title": "PHP"}
DNS = {"title": "DNS"}


def test_a_ticket_joins_at_the_end_on_creation() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", **DNS)
    assert room.order() == ["a", "b"]
    assert room.story("b") == [("10:00", "joined", "created")]


def test_managed_customers_come_first_then_the_time_of_joining() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", plan="Managed", **DNS)
    room.created("c", "08:00", **SCRIPTS).created("d", "11:00", plan="managed", customer="visser")
    assert room.order() == ["b", "d", "c", "a"]


def test_equal_joins_are_ordered_by_creation_and_then_by_id() -> None:
    room = WaitingRoom().created("b", "09:00", customer="one").created("a", "09:00", customer="two")
    assert room.order() == ["a", "b"]


def test_an_agents_reply_leaves_the_queue_and_the_customers_next_message_joins_at_the_end() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", **DNS).answers("a", "10:00")
    room.asks("a", "11:00")
    assert room.order("10:30") == ["b"]
    assert room.order() == ["b", "a"]
    assert room.story("a") == [
        ("09:00", "joined", "created"),
        ("10:00", "left", "answered"),
        ("11:00", "joined", "message"),
    ]


def test_a_further_message_while_waiting_costs_the_place() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", **DNS).asks("a", "10:00")
    assert room.order("09:59") == ["a", "b"]
    assert room.order() == ["b", "a"]
    assert room.story("a")[-1] == ("10:00", "moved", "repeat_message")
    assert len(room.story("b")) == 1


def test_a_further_message_keeps_the_place_where_the_desk_says_so() -> None:
    room = WaitingRoom(replace(WEBXTRA, repeat_message=KEEPS)).created("a", "09:00").asks("a", "10:00")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_a_note_is_no_message() -> None:
    room = WaitingRoom().created("a", "09:00").add("a", "10:00", "note.added", author="agent")
    assert room.story("a") == [("09:00", "joined", "created")]


@pytest.mark.parametrize("kind", ["customer.replied", "agent.replied"])
@pytest.mark.parametrize("mark", [{"automatic": True}, {"author": "system"}])
def test_an_automatic_message_moves_nothing(kind: str, mark: dict[str, object]) -> None:
    room = WaitingRoom().created("a", "09:00").add("a", "10:00", kind, **mark)
    assert room.story("a") == [("09:00", "joined", "created")]


@pytest.mark.parametrize("author", ["agent", "system"])
def test_a_ticket_that_no_customer_wrote_waits_only_from_the_customers_first_message(author: str) -> None:
    room = WaitingRoom().created("a", "09:00", author=author).asks("a", "10:00")
    assert room.order("09:30") == []
    assert room.story("a") == [("10:00", "joined", "message")]


@pytest.mark.parametrize("status", ["pending", "on_hold"])
def test_pending_and_back_without_a_message_returns_to_the_old_place(status: str) -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", **DNS)
    room.status("a", "10:00", status).status("a", "11:00", "open")
    assert room.order("10:30") == ["b"]
    assert room.order() == ["a", "b"]
    assert room.story("a")[1:] == [("10:00", "left", status), ("11:00", "joined", "resumed")]
    assert room.joined_at("a") == "09:00"


def test_a_message_that_ends_pending_joins_at_the_end() -> None:
    room = WaitingRoom().created("a", "09:00").status("a", "10:00", "pending").asks("a", "11:00")
    assert room.story("a")[-1] == ("11:00", "joined", "repeat_message")
    assert room.joined_at("a") == "11:00"


def test_a_message_leaves_pending_alone_where_the_agreement_says_so() -> None:
    room = WaitingRoom().created("a", "09:00").status("a", "10:00", "pending").asks("a", "11:00")
    assert [s.ended_by for s in room.wait_intervals(reply_ends_pending=False)["a"]] == ["pending"]


def test_a_source_that_names_the_status_at_the_instant_of_a_message_has_the_last_word() -> None:
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00").status("a", "10:00", "pending")
    assert room.story("a")[-1] == ("10:00", "left", "pending")


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_shutting_leaves_the_queue_and_a_reopen_joins_at_the_end(status: str) -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", **DNS)
    room.status("a", "10:00", status).status("a", "11:00", "open")
    assert room.story("a")[1:] == [("10:00", "left", status), ("11:00", "joined", "reopened")]
    assert room.order() == ["b", "a"]


def test_a_message_to_a_solved_ticket_waits_only_once_it_is_reopened() -> None:
    room = WaitingRoom().created("a", "09:00").answers("a", "10:00").status("a", "10:00", "solved")
    room.asks("a", "11:00").status("a", "12:00", "open")
    assert room.order("11:30") == []
    assert room.story("a")[-1] == ("12:00", "joined", "reopened")


def test_a_reopen_of_an_answered_ticket_does_not_wait() -> None:
    room = WaitingRoom().created("a", "09:00").answers("a", "10:00").status("a", "10:00", "solved")
    assert room.status("a", "11:00", "open").order() == []


def test_a_merged_ticket_leaves_and_its_target_keeps_its_place() -> None:
    room = WaitingRoom().created("a", "09:00").created("x", "09:30", **DNS)
    room.created("b", "10:00", domain="other.nl").add("b", "11:00", "ticket.merged", into="a")
    assert room.story("b")[-1] == ("11:00", "left", "merged")
    assert room.order() == ["a", "x"]
    assert room.joined_at("a") == "09:00"


def test_a_merge_that_cannot_stand_moves_nothing() -> None:
    room = WaitingRoom().created("a", "09:00").add("a", "10:00", "ticket.merged", into="nobody")
    kept = wait_intervals(room.logs(), room.rules, on_the_day("12:00"), faulty_merges={"a"})
    assert [wait_interval.to_at for wait_interval in kept["a"]] == [None]


def test_a_deleted_ticket_leaves() -> None:
    room = WaitingRoom().created("a", "09:00").add("a", "10:00", "ticket.deleted")
    assert room.story("a")[-1] == ("10:00", "left", "deleted")


def test_a_duplicate_puts_both_at_the_bottom_the_earlier_first() -> None:
    room = WaitingRoom().created("a", "09:00").created("x", "09:30", customer="visser")
    room.created("b", "10:00", title="RE: mail   is DOWN")
    assert room.order("09:59") == ["a", "x"]
    assert room.order() == ["x", "a", "b"]
    assert room.story("a") == [("09:00", "joined", "created"), ("10:00", "moved", "duplicate")]
    assert room.story("b") == [("10:00", "joined", "created")]


def test_a_third_duplicate_moves_every_earlier_one_that_is_waiting() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00").answers("b", "10:30")
    room.created("c", "11:00")
    assert room.story("a")[-1] == ("11:00", "moved", "duplicate")
    assert room.story("b")[-1] == ("10:30", "left", "answered")
    assert room.order() == ["a", "c"]


@pytest.mark.parametrize("shut", ["solved", "closed"])
def test_a_shut_ticket_is_no_reason_to_move_and_is_not_moved(shut: str) -> None:
    room = WaitingRoom().created("a", "09:00").status("a", "09:30", shut).created("b", "10:00")
    room.status("a", "11:00", "open")
    assert room.story("b") == [("10:00", "joined", "created")]
    assert room.order() == ["b", "a"]


def test_a_pending_duplicate_keeps_the_place_it_returns_to() -> None:
    room = WaitingRoom().created("a", "09:00").status("a", "09:30", "pending").created("b", "10:00")
    assert room.status("a", "11:00", "open").order() == ["a", "b"]
    assert room.joined_at("a") == "09:00"


def test_tickets_that_name_different_domains_are_no_duplicates() -> None:
    room = WaitingRoom().created("a", "09:00", domain="shop.jansen.nl")
    room.created("b", "10:00", domain="blog.jansen.nl")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_a_domain_in_the_text_tells_tickets_apart_as_well() -> None:
    room = WaitingRoom().created(
        "a", "09:00", domain=None, text="It is shop.jansen.nl, regards jan@jansen.nl"
    )
    room.created("b", "10:00", domain=None, text="https://blog.jansen.nl/ fails, regards jan@jansen.nl")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_a_ticket_that_names_no_domain_may_be_a_duplicate_of_any() -> None:
    room = WaitingRoom().created("a", "09:00", domain=None).created("b", "10:00")
    assert room.story("a")[-1] == ("10:00", "moved", "duplicate")


def test_an_empty_subject_never_is_a_duplicate() -> None:
    room = WaitingRoom().created("a", "09:00", title="Re: ").created("b", "10:00", title="[[17]]")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_without_a_customer_there_are_no_duplicates() -> None:
    room = WaitingRoom().created("a", "09:00", customer=None).created("b", "10:00", customer="")
    assert room.story("a") == [("09:00", "joined", "created")]


@pytest.mark.parametrize("other", [{"customer": "visser"}, {"title": "DNS"}, {"queue": "sales"}])
def test_another_customer_subject_or_queue_is_no_duplicate(other: dict[str, object]) -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", **other)
    assert room.story("a") == [("09:00", "joined", "created")]


@pytest.mark.parametrize("author", ["agent", "system"])
def test_a_ticket_that_the_desk_opens_pushes_nobody_back(author: str) -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", author=author)
    assert room.story("a") == [("09:00", "joined", "created")]


@pytest.mark.parametrize("status", ["pending", "on_hold", "solved", "closed"])
def test_a_ticket_that_does_not_wait_when_it_is_created_pushes_nobody_back(status: str) -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", status=status)
    assert room.story("a") == [("09:00", "joined", "created")]


def test_duplicates_keep_their_places_where_the_desk_says_so() -> None:
    room = WaitingRoom(replace(WEBXTRA, duplicate=KEEPS)).created("a", "09:00").created("b", "10:00")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_a_ticket_that_becomes_a_duplicate_by_an_update_always_was_one() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00", title="Hello")
    assert room.order("10:30") == ["a", "b"]
    assert len(room.story("a", "10:30")) == 1
    room.updated("b", "11:00", title="Mail is down")
    assert room.story("a", "10:30") == [("09:00", "joined", "created")]
    assert room.story("a")[-1] == ("10:00", "moved", "duplicate")


def test_a_domain_learnt_later_takes_the_duplicates_move_back() -> None:
    room = WaitingRoom().created("a", "09:00", domain=None).created("b", "10:00", domain="b.nl")
    room.updated("a", "11:00", domain="a.nl")
    assert room.story("a", "10:30")[-1] == ("10:00", "moved", "duplicate")
    assert room.story("a") == [("09:00", "joined", "created")]


def test_the_bottom_is_the_bottom_of_the_customers_rank() -> None:
    room = WaitingRoom().created("m", "09:00", plan="managed", customer="visser")
    room.created("n", "09:10", plan="managed", customer="bakker").created("a", "09:20")
    assert room.asks("m", "10:00", text="hello?").order() == ["n", "m", "a"]


def test_a_change_of_plan_while_waiting_is_a_move() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", **DNS)
    room.updated("b", "10:00", plan="managed")
    assert room.order("09:59") == ["a", "b"]
    assert room.order() == ["b", "a"]
    assert room.story("b")[-1] == ("10:00", "moved", "rank")
    assert room.joined_at("b") == "09:30"


def test_another_queue_is_left_and_joined_with_the_time_waited_so_far() -> None:
    room = WaitingRoom().created("a", "09:00", queue="inbox").updated("a", "10:00", queue="sales")
    assert room.order("09:30", "inbox") == ["a"]
    assert room.order(queue="inbox") == []
    assert room.order(queue="sales") == ["a"]
    assert room.story("a")[1:] == [("10:00", "left", "queue"), ("10:00", "joined", "queue")]
    assert room.joined_at("a") == "09:00"


def test_a_late_reply_of_the_desk_undoes_the_move_that_its_absence_caused() -> None:
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00")
    assert room.story("a")[-1] == ("10:00", "moved", "repeat_message")
    room.answers("a", "09:30")
    assert room.story("a")[1:] == [("09:30", "left", "answered"), ("10:00", "joined", "message")]


def test_a_late_reply_spares_the_earlier_ticket_the_duplicates_move() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00").answers("a", "09:30")
    assert room.story("a")[-1] == ("09:30", "left", "answered")
    assert room.order() == ["b"]


def test_a_withdrawn_message_gives_the_place_back() -> None:
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00")
    room.add("a", "11:00", "event.withdrawn", id="e1", author="jan", reason="wrong ticket")
    assert room.joined_at("a") == "09:00"


def test_nothing_after_the_instant_asked_for_counts() -> None:
    room = WaitingRoom().created("a", "09:00").created("b", "10:00")
    assert room.story("a", "09:59") == [("09:00", "joined", "created")]
    assert room.wait_intervals("09:59")["b"] == ()


def test_what_one_instant_brings_is_one_change() -> None:
    room = WaitingRoom().created("a", "09:00").answers("a", "10:00").asks("a", "10:00")
    room.answers("b", "09:00").created("b", "09:00", **DNS)
    assert room.story("a") == [("09:00", "joined", "created"), ("10:00", "moved", "message")]
    assert room.story("b") == []


def test_a_reply_that_also_sets_pending_or_solves_leaves_as_answered() -> None:
    room = WaitingRoom().created("a", "09:00").status("a", "10:00", "solved").answers("a", "10:00")
    assert room.story("a")[-1] == ("10:00", "left", "answered")


def test_a_ticket_whose_creation_was_never_seen_waits_from_its_message() -> None:
    room = WaitingRoom().updated("a", "08:00", customer="jansen").asks("a", "09:00")
    assert room.story("a") == [("09:00", "joined", "message")]
    assert room.wait_intervals()["a"][0].created_at == on_the_day("08:00")


def test_a_message_dated_before_the_creation_is_no_further_one() -> None:
    room = WaitingRoom().created("a", "09:00").asks("a", "08:59")
    assert room.story("a") == [("08:59", "joined", "message")]


def test_a_duplicate_that_wrote_before_its_creation_still_comes_after_the_earlier() -> None:
    room = WaitingRoom().created("a", "09:00").asks("b", "09:59").created("b", "10:00")
    assert room.order() == ["a", "b"]


def test_a_ticket_must_name_its_domain_and_supplying_it_late_costs_the_place() -> None:
    room = WaitingRoom().created("a", "09:00", domain=None).asks("a", "10:00", text="It is jansen.nl")
    assert room.story("a")[-1] == ("10:00", "moved", "repeat_message")


@pytest.mark.parametrize("how", ["in the text", "as a field of the same instant"])
def test_supplying_the_domain_late_keeps_the_place_in_the_other_reading(how: str) -> None:
    room = WaitingRoom(replace(WEBXTRA, domain_reply=KEEPS)).created("a", "09:00", domain=None)
    if how == "in the text":
        room.asks("a", "10:00", text="It is jansen.nl")
    else:
        room.asks("a", "10:00").updated("a", "10:00", domain="jansen.nl")
    assert room.story("a") == [("09:00", "joined", "created")]
    assert room.asks("a", "11:00", text="And shop.jansen.nl").joined_at("a") == "11:00"


def test_a_message_that_still_names_no_domain_costs_the_place_in_either_reading() -> None:
    room = WaitingRoom(replace(WEBXTRA, domain_reply=KEEPS)).created("a", "09:00", domain=None)
    assert room.asks("a", "10:00", text="Any news?").joined_at("a") == "10:00"


def test_a_repeated_or_unordered_log_gives_the_same_moves() -> None:
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00").answers("a", "11:00").asks("a", "12:00")
    other = WaitingRoom()
    other.events = [*reversed(room.events), *room.events]
    assert other.wait_intervals() == room.wait_intervals()


def test_moves_of_several_tickets_are_told_in_order_of_time() -> None:
    room = WaitingRoom().created("b", "09:00").created("a", "10:00", **DNS).answers("b", "11:00")
    recorded = moves(
        wait_interval for of_ticket in room.wait_intervals().values() for wait_interval in of_ticket
    )
    assert [(move.ticket, move.queue) for move in recorded] == [
        ("b", "default"),
        ("a", "default"),
        ("b", "default"),
    ]
    assert [move.at for move in recorded] == sorted(move.at for move in recorded)


def test_a_ticket_without_events_up_to_then_has_no_stints() -> None:
    log = [Event("e", "ticket.created", "a", on_the_day("12:00"))]
    assert wait_intervals({"a": log}, WEBXTRA, on_the_day("11:00")) == {"a": ()}
