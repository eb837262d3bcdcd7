"""Laws of a ticket's life as any system reports it: order of arrival and repetition play no part.

The requests are interpreted by the real path, in transactions of one or several; see `tests.intake.desk`.
"""

from collections.abc import Callable
from typing import Protocol

from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.request import InboundRequest
from app.sla.event import Event
from tests.intake.desk import AT, Desk, after

BATCHES = st.integers(1, 5)
"""How many requests share a transaction."""


class RecordedSystem(Protocol):
    """A system with the recorded story of a few tickets."""

    @property
    def tickets(self) -> tuple[str, ...]: ...

    def desk(self) -> Desk: ...

    def deliveries(self) -> list[InboundRequest]: ...


def brought_by_repetition(system: RecordedSystem) -> list[Event]:
    """The new events when every request of the story comes once more."""
    desk = after(system.desk(), system.deliveries())
    return [event for delivery in system.deliveries() for event in desk.receive(delivery)]


def order_and_repetition_play_no_part(system: RecordedSystem, examples: int) -> None:
    """The same facts, and the same tickets at any instant, in any order of arrival and with repetitions."""
    in_order = after(system.desk(), system.deliveries())
    instants = sorted({event.at + 1 for event in in_order.log.values()})
    life = {at: in_order.life(system.tickets, [at]) for at in instants}
    at_last = in_order.life(system.tickets, [AT])

    @_law(examples)
    def holds(data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(system.deliveries()))
        again = data.draw(st.lists(st.sampled_from(shuffled), max_size=6))
        desk = after(system.desk(), [*shuffled, *again], data.draw(BATCHES))
        assert desk.facts == in_order.facts
        for at in data.draw(st.sets(st.sampled_from(instants), max_size=3)):
            assert desk.life(system.tickets, [at]) == life[at]
        assert desk.life(system.tickets, [AT]) == at_last

    holds()


def a_story_with_gaps_ends_the_same_in_any_order(system: RecordedSystem, examples: int) -> None:
    """Any part of the story ends in the same facts and the same ticket, whatever order it arrives in."""

    @_law(examples)
    def holds(data: st.DataObject) -> None:
        story = system.deliveries()
        kept = sorted(data.draw(st.sets(st.integers(0, len(story) - 1), min_size=1)))
        in_order = after(system.desk(), [story[place] for place in kept], len(kept))
        shuffled = data.draw(st.permutations(kept))
        other = after(system.desk(), [story[place] for place in shuffled], data.draw(BATCHES))
        assert other.facts == in_order.facts
        assert other.life(system.tickets, [AT]) == in_order.life(system.tickets, [AT])

    holds()


def _law(examples: int) -> Callable[[Callable[[st.DataObject], None]], Callable[[], None]]:
    return lambda test: settings(max_examples=examples, deadline=None)(given(data=st.data())(test))
