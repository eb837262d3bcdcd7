"""What of a queue is told, once, and what is taken back."""

from app.sla.queue.signals import QueueSignal, RecordedQueueSignal, queue_signals, queue_transitions
from app.sla.span import Micros
from tests.sla.waiting_room import WaitingRoom, on_the_day

TOLD = list[RecordedQueueSignal]


def tell(room: WaitingRoom, recorded: TOLD) -> list[QueueSignal]:
    """What the room has to tell now; it is remembered in `told`."""
    transitions = queue_transitions(
        wait_interval for of_ticket in room.wait_intervals().values() for wait_interval in of_ticket
    )
    signals = queue_signals(recorded, transitions)
    recorded += [signal.recorded for signal in signals]
    return signals


def brief(signals: list[QueueSignal]) -> list[tuple[str, str, Micros, str, int]]:
    return [(s.ticket, s.kind, s.at, s.cause, s.generation) for s in signals]


def test_every_move_is_told_once_with_its_instant_as_occurrence() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00").answers("a", "11:00")
    signals = tell(room, recorded)
    assert brief(signals) == [
        ("a", "joined", on_the_day("09:00"), "created", 0),
        ("a", "moved", on_the_day("10:00"), "repeat_message", 0),
        ("a", "left", on_the_day("11:00"), "answered", 0),
    ]
    assert [s.occurrence for s in signals] == [str(s.at) for s in signals]
    assert tell(room, recorded) == []


def test_only_the_ticket_whose_own_key_changed_is_told() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00").created("b", "09:30", title="DNS")
    tell(room, recorded)
    assert [s.ticket for s in tell(room.asks("a", "10:00"), recorded)] == ["a"]


def test_a_duplicate_tells_the_earlier_ticket_and_the_new_one() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00")
    tell(room, recorded)
    assert brief(tell(room.created("b", "10:00"), recorded)) == [
        ("a", "moved", on_the_day("10:00"), "duplicate", 0),
        ("b", "joined", on_the_day("10:00"), "created", 0),
    ]


def test_a_late_reply_takes_the_move_back_before_it_tells_what_was() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00")
    tell(room, recorded)
    room.answers("a", "09:30")
    signals = tell(room, recorded)
    assert brief(signals) == [
        ("a", "moved", on_the_day("10:00"), "corrected", 1),
        ("a", "left", on_the_day("09:30"), "answered", 0),
        ("a", "joined", on_the_day("10:00"), "message", 0),
    ]
    assert [s.stands for s in signals] == [False, True, True]
    assert tell(room, recorded) == []


def test_an_undone_move_that_leaves_nothing_new_is_corrected_all_the_same() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00").created("b", "10:00")
    tell(room, recorded)
    room.updated("b", "11:00", domain="other.nl")
    assert brief(tell(room, recorded)) == [("a", "moved", on_the_day("10:00"), "corrected", 1)]
    assert tell(room, recorded) == []


def test_a_move_can_go_and_come_back() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00").asks("a", "10:00")
    tell(room, recorded)
    room.add("a", "11:00", "event.withdrawn", id="e1")
    assert brief(tell(room, recorded)) == [("a", "moved", on_the_day("10:00"), "corrected", 1)]
    room.add("a", "12:00", "event.withdrawn", id="e2")
    assert brief(tell(room, recorded)) == [("a", "moved", on_the_day("10:00"), "repeat_message", 2)]
    assert tell(room, recorded) == []


def test_a_moment_with_another_place_than_told_is_corrected_and_stands() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00")
    tell(room, recorded)
    signals = tell(room.updated("a", "09:00", plan="managed"), recorded)
    assert [(s.kind, s.cause, s.generation, s.rank, s.stands) for s in signals] == [
        ("joined", "corrected", 1, 0, True)
    ]
    assert tell(room, recorded) == []


def test_a_change_of_queue_tells_both_queues() -> None:
    recorded: TOLD = []
    room = WaitingRoom().created("a", "09:00", queue="inbox").updated("a", "10:00", queue="sales")
    assert [(s.queue, s.kind) for s in tell(room, recorded)] == [
        ("inbox", "joined"),
        ("inbox", "left"),
        ("sales", "joined"),
    ]
