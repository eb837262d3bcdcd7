"""What is told, and what is taken back: stories in which facts come late, are withdrawn, or come all at once."""

from dataclasses import replace

from app.sla.calendar import Calendar
from app.sla.clock.evaluation import Version, evaluate
from app.sla.clock.signals import LastRecorded, RecordedSignal, Signal, signals
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}}, name="acme/desk")

LEARNT = Reason(ReasonCode.EVENT_RECEIVED, "e7", {"type": "status.changed"})


def promise(kind: str = "guarantee") -> Story:
    document = f"""
    desk = "acme"
    time_zone = "Europe/Paris"
    [[commitments]]
    id = "promise"
    kind = "{kind}"
    measure = "gtr"
    starts_on = ["ticket.created"]
    stops_on = ["service.restored"]
    pauses_while = ["pending"]
    target = "2h"
    calendar = "acme/desk"
    warn_at = ["50%"]
    """
    return Story(written(document, {"acme/desk": DESK}))


class Emitter:
    """The signal table of one ticket."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.recorded: list[RecordedSignal] = []
        self.last: dict[tuple[str, Micros], LastRecorded] = {}
        self.revision = 0

    def look(self, at: str) -> list[str]:
        """Judge by all that the story tells so far; the kinds that this tells."""
        return [signal.kind for signal in self.signals(at)]

    def signals(self, at: str) -> list[Signal]:
        self.revision += 1
        instant = self.story.instant(at)
        evaluation = evaluate(self.story.events, [Version(1, self.story.agreement, 0)], instant)
        new = signals(self.recorded, self.last, evaluation, revision=self.revision, because=LEARNT)
        for signal in new:
            self._keep(signal)
        self.last = {(c.commitment, c.cycle_id): LastRecorded(c.state, c.due_at) for c in evaluation.clocks}
        return new

    def _keep(self, signal: Signal) -> None:
        for number, row in enumerate(self.recorded):
            if row.id == signal.replaces and signal.kind.endswith("_retracted"):
                self.recorded[number] = replace(row, retracted=True)
            elif row.id == signal.replaces and signal.kind == "due_changed":
                assert signal.new_due_at is not None
                self.recorded[number] = replace(row, at=signal.new_due_at)
        row_id = f"s{len(self.recorded)}"
        self.recorded.append(
            RecordedSignal(
                row_id,
                signal.commitment,
                signal.cycle,
                signal.kind,
                signal.occurrence,
                signal.generation,
                signal.at,
                retracted=False,
            )
        )


def test_a_second_look_tells_nothing_again() -> None:
    emitter = Emitter(promise().created("2026-03-02 09:00"))
    assert emitter.look("2026-03-02 09:00") == ["started"]
    assert emitter.look("2026-03-02 09:30") == []
    assert emitter.look("2026-03-02 10:01") == ["warned"]
    assert emitter.look("2026-03-02 11:01") == ["breached"]
    assert emitter.look("2026-03-02 12:00") == []


def test_a_warning_that_is_learnt_of_with_its_breach_is_not_told_any_more() -> None:
    assert Emitter(promise().created("2026-03-02 09:00")).look("2026-03-02 12:00") == ["started", "breached"]


def test_the_kind_of_promise_names_the_miss_and_its_retraction() -> None:
    for kind, late, back in [
        ("guarantee", "breached", "breach_retracted"),
        ("objective", "missed", "miss_retracted"),
        ("customer", "lapsed", "breach_retracted"),
    ]:
        emitter = Emitter(promise(kind).created("2026-03-02 09:00"))
        assert emitter.look("2026-03-02 12:00") == ["started", late]
        emitter.story.fact("service.restored", "2026-03-02 10:30")
        assert emitter.look("2026-03-02 12:30") == [back, "warned", "stopped"]


def test_a_late_pause_takes_the_breach_back_and_a_later_one_replaces_it() -> None:
    emitter = Emitter(promise().created("2026-03-02 09:00"))
    assert emitter.look("2026-03-02 11:30") == ["started", "breached"]
    breach = emitter.recorded[-1]
    emitter.story.status("2026-03-02 10:30", "pending").status("2026-03-02 11:15", "open")
    retraction, *others = emitter.signals("2026-03-02 11:30")
    assert (retraction.kind, retraction.replaces, retraction.cause) == (
        "breach_retracted",
        breach.id,
        LEARNT,
    )
    assert [s.kind for s in others] == ["warned", "paused", "resumed"]
    (again,) = emitter.signals("2026-03-02 12:00")
    assert (again.kind, again.replaces, again.generation) == ("breached", breach.id, 0)


def test_a_breach_that_moves_is_put_right_and_not_told_twice() -> None:
    emitter = Emitter(promise().created("2026-03-02 09:00"))
    emitter.look("2026-03-02 15:00")
    breach = emitter.recorded[-1]
    emitter.story.status("2026-03-02 10:30", "pending").status("2026-03-02 11:30", "open")
    recorded = emitter.signals("2026-03-02 15:00")
    assert [s.kind for s in recorded] == ["paused", "resumed", "due_changed"]
    (moved,) = [s for s in recorded if s.kind == "due_changed"]
    story = emitter.story
    assert (moved.replaces, moved.old_due_at, moved.new_due_at) == (
        breach.id,
        story.instant("2026-03-02 11:00"),
        story.instant("2026-03-02 12:00"),
    )
    assert emitter.look("2026-03-02 16:00") == []


def test_a_breach_that_goes_and_comes_back_is_told_in_its_next_generation() -> None:
    emitter = Emitter(promise().created("2026-03-02 09:00"))
    emitter.look("2026-03-02 12:00")
    emitter.story.fact("service.restored", "2026-03-02 10:30", event_id="wrong")
    emitter.look("2026-03-02 12:00")
    emitter.story.withdrawn("2026-03-02 12:10", "wrong")
    (again,) = [s for s in emitter.signals("2026-03-02 12:10") if s.kind == "breached"]
    assert again.generation == 1


def test_a_clock_that_runs_on_with_another_due_date_says_so() -> None:
    other = written(
        """
        desk = "acme"
        [[commitments]]
        id = "promise"
        kind = "guarantee"
        measure = "gtr"
        starts_on = ["ticket.created"]
        stops_on = ["service.restored"]
        target = { by = "priority", high = "1h", else = "2h" }
        calendar = "acme/desk"
        """,
        {"acme/desk": DESK},
    )
    emitter = Emitter(Story(other).created("2026-03-02 09:00"))
    assert emitter.look("2026-03-02 09:10") == ["started"]
    emitter.story.updated("2026-03-02 09:20", priority="high")
    (moved,) = emitter.signals("2026-03-02 09:20")
    assert moved.kind == "due_changed"
    assert moved.old_due_at is not None
    assert moved.new_due_at is not None
    assert moved.old_due_at - moved.new_due_at == 3_600_000_000


def test_a_resume_of_the_same_look_tells_the_new_date() -> None:
    emitter = Emitter(promise().created("2026-03-02 09:00"))
    emitter.look("2026-03-02 09:00")
    emitter.story.excluded(
        "2026-03-02 09:50", "2026-03-02 09:20", "2026-03-02 09:40", by="Eva", reason="power cut"
    )
    recorded = emitter.signals("2026-03-02 09:50")
    assert [s.kind for s in recorded] == ["paused", "resumed"], "a resume of the same look tells the new date"


def test_a_cycle_that_a_late_fact_unmakes_takes_its_breach_back_without_a_clock() -> None:
    document = """
    desk = "acme"
    time_zone = "Europe/Paris"
    [[commitments]]
    id = "promise"
    kind = "guarantee"
    measure = "next-reply"
    cycle = "next_reply"
    starts_on = ["customer.replied"]
    stops_on = ["agent.replied"]
    target = "1h"
    calendar = "acme/desk"
    """
    story = Story(written(document, {"acme/desk": DESK})).created("2026-03-02 08:00")
    emitter = Emitter(story.customer("2026-03-02 10:00"))
    assert emitter.look("2026-03-02 12:00") == ["started", "breached"]
    story.customer("2026-03-02 09:30")  # an earlier message: the cycle began there
    recorded = emitter.signals("2026-03-02 12:00")
    assert [(s.kind, s.clock is None) for s in recorded] == [
        ("breach_retracted", True),
        ("started", False),
        ("breached", False),
    ]
