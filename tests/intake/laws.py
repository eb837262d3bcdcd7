"""What holds for the whole life of a ticket as any system tells it, however its deliveries arrive."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from app.intake.request import Delivery
from app.sla.event import Event
from app.sla.span import Micros
from tests.intake.snapshot_desk import Desk, after

T = TypeVar("T", bound="RecordedSignal")


class RecordedSignal(Protocol):
    """A system with the recorded story of a ticket."""

    def desk(self) -> Desk: ...

    def deliveries(self) -> list[Delivery]: ...


def brought_by_repetition(system: RecordedSignal) -> list[Event]:
    """The new events when every delivery of the story comes once more."""
    desk = after(system.desk(), system.deliveries())
    return [event for delivery in system.deliveries() for event in desk.receive(delivery)]


def lives_in_and_out_of_order(
    system: T, data: st.DataObject, life: Callable[[Desk, T, list[Micros]], object], repeated: int
) -> Sequence[object]:
    """The life in the order of the story, and in any order with some deliveries again."""
    in_order = after(system.desk(), system.deliveries())
    shuffled = data.draw(st.permutations(system.deliveries()))
    again = data.draw(st.lists(st.sampled_from(shuffled), max_size=repeated))
    instants = sorted({event.at + 1 for event in in_order.log.values()})
    return life(in_order, system, instants), life(after(system.desk(), [*shuffled, *again]), system, instants)


def lives_with_gaps(system: T, data: st.DataObject, life: Callable[[Desk, T], object]) -> Sequence[object]:
    """The life that some of the deliveries tell, in the order of the story and in any order."""
    kept = data.draw(st.lists(st.sampled_from(system.deliveries()), min_size=1, unique_by=id))
    shuffled = data.draw(st.permutations(kept))
    return tuple(life(after(system.desk(), each), system) for each in (kept, shuffled))
