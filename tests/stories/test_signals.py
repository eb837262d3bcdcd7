"""Signals recorded and retracted: stories in which facts come late, are withdrawn, or come all at once."""

from app.sla.calendar import Calendar
from app.sla.clock.evaluation import Version, evaluate
from app.sla.clock.signals import LastRecorded, RecordedSignal, Signal, signals
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}}, name="acme/desk")

LEARNT = Reason(ReasonCode.EVENT_RECEIVED, "e7", {"type": "status.changed"})


def commitment(kind: str = "guarantee") -> Story:
    document = f"""
    desk = "acme"
    time_zone = "Europe/Paris"
    [[commitments]]
    id = "repair"
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


class Recorder:
    """Evaluates one ticket again and again, and stores the signals as the signal table does."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.recorded: list[RecordedSignal] = []
        self.last: dict[tuple[str, Micros], LastRecorded] = {}
        self.revision = 0

    def kinds(self, at: str) -> list[str]:
        """Evaluate the story so far. Returns the kinds of the new signals."""
        return [signal.kind for signal in self.signals(at)]

    def signals(self, at: str) -> list[Signal]:
        self.revision += 1
        instant = self.story.instant(at)
        evaluation = evaluate(self.story.events, [Version(1, self.story.agreement, 0)], instant)
        new = signals(self.recorded, self.last, evaluation, revision=self.revision, because=LEARNT)
        for signal in new:
            self._store(signal)
        self.last = {(c.commitment, c.cycle_id): LastRecorded(c.state, c.due_at) for c in evaluation.clocks}
        return new

    def _store(self, signal: Signal) -> None:
        for number, row in enumerate(self.recorded):
            if row.id == signal.replaces and signal.kind.endswith("_retracted"):
                self.recorded[number] = row._replace(retracted=True)
            elif row.id == signal.replaces and signal.kind == "due_changed":
                assert signal.new_due_at is not None
                self.recorded[number] = row._replace(at=signal.new_due_at)
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


def test_evaluating_again_records_nothing_again() -> None:
    recorder = Recorder(commitment().created("2026-03-02 09:00"))
    assert recorder.kinds("2026-03-02 09:00") == ["started"]
    assert recorder.kinds("2026-03-02 09:30") == []
    assert recorder.kinds("2026-03-02 10:01") == ["warned"]
    assert recorder.kinds("2026-03-02 11:01") == ["breached"]
    assert recorder.kinds("2026-03-02 12:00") == []


def test_a_warning_found_together_with_its_breach_is_not_recorded() -> None:
    assert Recorder(commitment().created("2026-03-02 09:00")).kinds("2026-03-02 12:00") == [
        "started",
        "breached",
    ]


def test_the_kind_of_commitment_decides_the_kind_of_breach_and_retraction() -> None:
    for kind, late, back in [
        ("guarantee", "breached", "breach_retracted"),
        ("objective", "missed", "miss_retracted"),
        ("customer", "lapsed", "breach_retracted"),
    ]:
        recorder = Recorder(commitment(kind).created("2026-03-02 09:00"))
        assert recorder.kinds("2026-03-02 12:00") == ["started", late]
        recorder.story.fact("service.restored", "2026-03-02 10:30")
        assert recorder.kinds("2026-03-02 12:30") == [back, "warned", "stopped"]


def test_a_late_pause_retracts_the_breach_and_a_later_breach_replaces_it() -> None:
    recorder = Recorder(commitment().created("2026-03-02 09:00"))
    assert recorder.kinds("2026-03-02 11:30") == ["started", "breached"]
    breach = recorder.recorded[-1]
    recorder.story.status("2026-03-02 10:30", "pending").status("2026-03-02 11:15", "open")
    retraction, *others = recorder.signals("2026-03-02 11:30")
    assert (retraction.kind, retraction.replaces, retraction.cause) == (
        "breach_retracted",
        breach.id,
        LEARNT,
    )
    assert [s.kind for s in others] == ["warned", "paused", "resumed"]
    (again,) = recorder.signals("2026-03-02 12:00")
    assert (again.kind, again.replaces, again.generation) == ("breached", breach.id, 0)


def test_a_breach_that_moves_is_corrected_and_not_recorded_twice() -> None:
    recorder = Recorder(commitment().created("2026-03-02 09:00"))
    recorder.kinds("2026-03-02 15:00")
    breach = recorder.recorded[-1]
    recorder.story.status("2026-03-02 10:30", "pending").status("2026-03-02 11:30", "open")
    recorded = recorder.signals("2026-03-02 15:00")
    assert [s.kind for s in recorded] == ["paused", "resumed", "due_changed"]
    (moved,) = [s for s in recorded if s.kind == "due_changed"]
    story = recorder.story
    assert (moved.replaces, moved.old_due_at, moved.new_due_at) == (
        breach.id,
        story.instant("2026-03-02 11:00"),
        story.instant("2026-03-02 12:00"),
    )
    assert recorder.kinds("2026-03-02 16:00") == []


def test_a_breach_that_returns_after_its_retraction_has_the_next_generation() -> None:
    recorder = Recorder(commitment().created("2026-03-02 09:00"))
    recorder.kinds("2026-03-02 12:00")
    recorder.story.fact("service.restored", "2026-03-02 10:30", event_id="wrong")
    recorder.kinds("2026-03-02 12:00")
    recorder.story.withdrawn("2026-03-02 12:10", "wrong")
    (again,) = [s for s in recorder.signals("2026-03-02 12:10") if s.kind == "breached"]
    assert again.generation == 1


def test_a_running_clock_with_a_new_due_date_records_the_change() -> None:
    other = written(
        """
        desk = "acme"
        [[commitments]]
        id = "repair"
        kind = "guarantee"
        measure = "gtr"
        starts_on = ["ticket.created"]
        stops_on = ["service.restored"]
        target = { by = "priority", high = "1h", else = "2h" }
        calendar = "acme/desk"
        """,
        {"acme/desk": DESK},
    )
    recorder = Recorder(Story(other).created("2026-03-02 09:00"))
    assert recorder.kinds("2026-03-02 09:10") == ["started"]
    recorder.story.updated("2026-03-02 09:20", priority="high")
    (moved,) = recorder.signals("2026-03-02 09:20")
    assert moved.kind == "due_changed"
    assert moved.old_due_at is not None
    assert moved.new_due_at is not None
    assert moved.old_due_at - moved.new_due_at == 3_600_000_000


def test_a_resume_found_in_the_same_evaluation_carries_the_new_due_date() -> None:
    recorder = Recorder(commitment().created("2026-03-02 09:00"))
    recorder.kinds("2026-03-02 09:00")
    recorder.story.excluded(
        "2026-03-02 09:50", "2026-03-02 09:20", "2026-03-02 09:40", by="Eva", reason="power cut"
    )
    recorded = recorder.signals("2026-03-02 09:50")
    assert [s.kind for s in recorded] == ["paused", "resumed"]


def test_the_breach_of_a_cycle_that_a_late_fact_removes_is_retracted_without_a_clock() -> None:
    document = """
    desk = "acme"
    time_zone = "Europe/Paris"
    [[commitments]]
    id = "repair"
    kind = "guarantee"
    measure = "next-reply"
    cycle = "next_reply"
    starts_on = ["customer.replied"]
    stops_on = ["agent.replied"]
    target = "1h"
    calendar = "acme/desk"
    """
    story = Story(written(document, {"acme/desk": DESK})).created("2026-03-02 08:00")
    recorder = Recorder(story.customer("2026-03-02 10:00"))
    assert recorder.kinds("2026-03-02 12:00") == ["started", "breached"]
    story.customer("2026-03-02 09:30")  # an earlier message: the cycle began there
    recorded = recorder.signals("2026-03-02 12:00")
    assert [(s.kind, s.clock is None) for s in recorded] == [
        ("breach_retracted", True),
        ("started", False),
        ("breached", False),
    ]
