"""Deliveries from signal to arrival: none lost, in order, whatever the endpoint does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import orjson
import pytest

from app.flow.agreement.applied_signals import APPLIED_KINDS
from app.flow.outbound import subscribe
from app.flow.outbound.claim import Capacity
from app.flow.outbound.deliver import Deliverer
from app.flow.outbound.sender import Sender
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.sla.span import DAY, MINUTE, SECOND, instant
from app.store.engine.database import Database, wall_clock
from app.store.outbound import deliveries, delivery_list, redelivery, subscriptions
from app.store.outbound.deliveries import EndpointSchedule
from app.store.outbound.delivery_list import Delivery
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Channel, Subscription, SubscriptionState
from tests.receiver import OK, Arrived, Receiver, status
from tests.service import Service, WallClock, created, event
from tests.waiting import HANG, until

STARTED = ("clock.started",)
EVERYTHING = (*subscribe.KINDS,)


class Desk:
    """A service with a deliverer. Its clock starts at the real time, and tests move it."""

    def __init__(self, settings: Settings, database: Database, clock: WallClock) -> None:
        clock.now = wall_clock()
        self.service = Service(settings, database, clock)
        self.service.apply_shipped("haisoft")
        self.settings, self.database, self.clock = settings, database, clock
        self.deliverer = self.another_deliverer()

    def another_deliverer(self, **given: Any) -> Deliverer:
        settings = self.settings.model_copy(update=given)
        return Deliverer(self.database, self.service.assessor, settings, sender=Sender(settings))

    def subscribe(self, url: str, kinds: Sequence[str] = STARTED, **given: Any) -> Subscription:
        values: dict[str, Any] = {
            "desk": "haisoft",
            "channel": Channel.WEBHOOK,
            "url": url,
            "kinds": tuple(kinds),
            "filter": {},
            "language": "en",
            "description": "",
        } | given
        return self.database.write_now(
            lambda conn, now: subscribe.create(conn, SubscriptionSpec(**values), now)
        )

    def change(self, which: Subscription, **given: Any) -> None:
        def apply(conn: Any, now: int) -> None:
            before = subscriptions.find(conn, which.id)
            assert before is not None
            subscribe.change(conn, before, replace(before, **given), now)

        self.database.write_now(apply)

    def now(self) -> str:
        return instant(self.clock.now).isoformat()

    def open_tickets(self, *names: str, **data: Any) -> None:
        """Each starts one clock and joins one queue."""
        self.service.push(*(created(name, self.now(), **({"customer": name} | data)) for name in names))

    async def deliver_all(self) -> None:
        """Deliver, and again after an hour as long as something is pending."""
        for _ in range(10):
            await self.deliverer.deliver_due()
            if not (await self.deliverer.state()).pending:
                return
            self.clock.forward(hours=1)

    def pause_and_resume(self, ticket: str, count: int) -> None:
        """Pause and resume the clock of an open ticket, one push each."""
        for number in range(count):
            for word in ("pending", "open"):
                self.clock.forward(seconds=1)
                name = f"{ticket}-{number}-{word}"
                self.service.push(event(name, "status.changed", ticket, self.now(), status=word))

    def find(self, which: Subscription) -> Subscription:
        found = self.database.read_now(lambda conn: subscriptions.find(conn, which.id))
        assert found is not None
        return found

    def deliveries(self, which: Subscription, state: DeliveryState | None = None) -> list[Delivery]:
        """In the order of the stream."""
        page, _ = self.database.read_now(lambda conn: delivery_list.page(conn, which.id, state, None, 10_000))
        return page[::-1]

    def outcomes(self, which: Subscription) -> list[tuple[str, str | None]]:
        return [(each.state.value, each.outcome) for each in self.deliveries(which)]

    def stream(self) -> list[str]:
        signals = self.service.signals()
        return [signal["id"] for signal in signals if signal["kind"] not in APPLIED_KINDS]


@pytest.fixture
async def desk(database_settings: Settings, wall_clock: WallClock) -> AsyncIterator[Desk]:
    settings = database_settings.model_copy(
        update={
            "allow_networks": (ip_network("127.0.0.0/8"), ip_network("::1/128")),
            "delivery_retry_jitter": 0.0,
            "delivery_timeout": timedelta(seconds=HANG),  # a busy machine makes no attempt fail
            "delivery_connect_timeout": timedelta(seconds=HANG),
        }
    )
    with Database(settings, wall_clock) as database:
        made = Desk(settings, database, wall_clock)
        yield made
        await made.deliverer.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


# -- arrival -----------------------------------------------------------------------------------------------------


async def test_a_signal_arrives_signed_as_it_stands_in_the_stream(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.open_tickets("4711")
    assert await desk.deliverer.deliver_due() == 1
    (arrived,) = receiver.arrived
    verified = arrived.verified(subscription.secrets[0].secret)
    (recorded,) = desk.service.signals("clock.started")
    beside = {"title": "Server down", "url": None, "customer": "4711", "assignee": None, "group": None}
    assert verified["data"] == recorded | beside
    assert (verified["id"], arrived.headers["webhook-id"]) == (recorded["id"], recorded["id"])
    assert desk.outcomes(subscription) == [("delivered", "delivered")]


async def test_every_attempt_carries_the_stored_bytes_of_the_signal_and_its_tickets_details(
    desk: Desk, receiver: Receiver
) -> None:
    desk.subscribe(receiver.url, EVERYTHING)
    receiver.answer = lambda number, request: status(500) if number == 1 else OK
    desk.open_tickets("4711", customer="Lycée Carnot")
    desk.pause_and_resume("4711", 1)
    await desk.deliverer.deliver_due()
    desk.clock.forward(seconds=6)
    await desk.deliverer.deliver_due()
    signals = desk.service.signals()
    stored = [orjson.dumps(each) for each in signals if each["kind"] not in APPLIED_KINDS]
    bodies = [arrived.body for arrived in receiver.arrived]
    assert bodies == [enveloped(stored[0]), *map(enveloped, stored)]


def enveloped(signal: bytes) -> bytes:
    """The event made from the signal's own fields, as receivers would make it."""
    fields = orjson.loads(signal)
    event = {
        "specversion": "1.0",
        "id": fields["id"],
        "source": f"urn:slatimer:desk:{fields['desk']}",
        "type": f"slatimer.{fields['kind']}",
        "time": fields["at"],
        "datacontenttype": "application/json",
    }
    if fields["ticket"]:
        event["subject"] = fields["ticket"]
    beside = (
        b',"title":"Server down","url":null,"customer":"Lyc\xc3\xa9e Carnot","assignee":null,"group":null}'
    )
    return orjson.dumps(event | {"data": orjson.Fragment(signal[:-1] + beside)})


async def test_a_breach_found_by_the_sweep_arrives(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url, ["clock.breached"])
    desk.open_tickets("4711")
    desk.clock.forward(days=20)
    desk.service.sweeper.sweep_now()
    await desk.deliverer.deliver_due()
    assert [
        signal["kind"] for signal in receiver.signals
    ] == []  # due long ago by now: recorded, not delivered
    desk.open_tickets("4712")
    due = desk.service.view("haisoft", "4712")["clocks"][0]["due_at"]
    desk.clock.set(due)
    desk.clock.forward(seconds=1)
    desk.service.sweeper.sweep_now()
    await desk.deliverer.deliver_due()
    assert [(signal["kind"], signal["ticket"]) for signal in receiver.signals] == [("clock.breached", "4712")]


async def test_only_signals_that_match_the_subscription_arrive(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url, ["queue.joined"])
    desk.subscribe(receiver.url, EVERYTHING, desk="phpnet")
    desk.subscribe(receiver.url, EVERYTHING, filter={"commitment": ("other",)})
    desk.subscribe(receiver.url, EVERYTHING, filter={"plan": ("gold",)})
    desk.open_tickets("4711", plan="silver")
    assert await desk.deliverer.deliver_due() == 1
    assert [signal["kind"] for signal in receiver.signals] == ["queue.joined"]


async def test_filters_compare_fields_of_the_signal_and_its_ticket_ignoring_case(
    desk: Desk, receiver: Receiver
) -> None:
    wanted = {"commitment": ("Ticket-Response", "x"), "plan": ("GOLD",), "customer": ("acme",)}
    desk.subscribe(receiver.url, EVERYTHING, filter=wanted)
    desk.subscribe(receiver.url, EVERYTHING, filter={"queue": ("nowhere",)})
    desk.open_tickets("4711", plan="Gold", customer="ACME")
    desk.open_tickets("4712", plan="Gold", customer="other")
    await desk.deliverer.deliver_due()
    assert [(signal["kind"], signal["ticket"]) for signal in receiver.signals] == [("clock.started", "4711")]


async def test_a_subscription_to_all_desks_gets_the_signals_of_each(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url, desk="*")
    desk.open_tickets("4711")
    await desk.deliverer.deliver_due()
    assert len(receiver.arrived) == 1


async def test_a_signal_that_is_recorded_only_is_not_delivered(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.service.push(created("4711", desk.now()), deliver=False)
    assert (await desk.deliverer.deliver_due(), desk.deliveries(subscription)) == (0, [])


async def test_a_test_delivery_is_signed_and_not_recorded(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    attempt = await desk.deliverer.sender.send_test(subscription, desk.clock.now, sent_by="key_1")
    (arrived,) = receiver.arrived
    assert attempt.delivered
    assert arrived.verified(subscription.secrets[0].secret)["type"] == "slatimer.subscription.test"
    assert (desk.deliveries(subscription), desk.stream()) == ([], [])


# -- order -------------------------------------------------------------------------------------------------------


async def test_a_tickets_signals_arrive_in_the_order_of_the_stream(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url, EVERYTHING)
    names = [f"T{n}" for n in range(5)]
    desk.open_tickets(*names)
    for name in names:
        desk.pause_and_resume(name, 3)
    await desk.deliver_all()
    recorded = desk.service.signals()
    for name in names:
        expected = [signal["id"] for signal in recorded if signal["ticket"] == name]
        assert [s["id"] for s in receiver.signals if s["ticket"] == name] == expected
        assert len(expected) > 6


async def test_a_signal_waits_until_the_ones_before_it_have_arrived(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    receiver.answer = lambda number, request: status(500) if number == 1 else OK
    desk.open_tickets("4711")
    desk.pause_and_resume("4711", 1)
    await desk.deliverer.deliver_due()
    assert len(receiver.arrived) == 1
    assert [each.attempts for each in desk.deliveries(subscription)] == [1, 0, 0, 0, 0, 0][
        : len(desk.stream())
    ]
    desk.clock.forward(seconds=6)
    await desk.deliverer.deliver_due()
    assert [each["id"] for each in receiver.signals[1:]] == desk.stream()
    assert receiver.arrived[0].headers["webhook-id"] == receiver.arrived[1].headers["webhook-id"]


async def test_a_ticket_that_waits_delays_no_other(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url)
    receiver.answer = lambda number, request: status(500) if request.signal["ticket"] == "bad" else OK
    desk.open_tickets("bad", "good", "fine")
    await desk.deliverer.deliver_due()
    assert sorted(signal["ticket"] for signal in receiver.signals) == ["bad", "fine", "good"]


# -- failure -----------------------------------------------------------------------------------------------------


async def test_an_endpoint_that_is_down_for_a_while_misses_nothing(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    await receiver.shut()
    desk.open_tickets("A", "B")
    await desk.deliverer.deliver_due()
    assert {each.outcome for each in desk.deliveries(subscription)} == {"connect", None}
    desk.clock.forward(seconds=6)
    await desk.deliverer.deliver_due()
    desk.pause_and_resume("A", 1)
    await receiver.open()
    desk.clock.forward(minutes=6)
    await desk.deliverer.deliver_due()
    assert sorted(signal["id"] for signal in receiver.signals) == sorted(desk.stream())
    assert {each.state for each in desk.deliveries(subscription)} == {DeliveryState.DELIVERED}
    assert desk.find(subscription).failures == 0


async def test_a_delivery_that_always_fails_is_retried_by_the_schedule_and_then_parked(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    receiver.answer = lambda number, request: status(500)
    desk.open_tickets("4711")
    waits = []
    await desk.deliverer.deliver_due()
    (shown,) = desk.deliveries(subscription)
    while shown.next_at is not None:
        waits.append((shown.next_at - desk.clock.now) // SECOND)
        desk.clock.now = shown.next_at
        await desk.deliverer.deliver_due()
        (shown,) = desk.deliveries(subscription)
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert (shown.state, shown.attempts, shown.outcome) == (DeliveryState.PARKED, 10, "status")
    assert shown.reason == "answered 500 Internal Server Error"
    assert len({arrived.headers["webhook-id"] for arrived in receiver.arrived}) == 1


async def test_a_parked_delivery_does_not_hold_back_the_rest_of_its_ticket(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    desk.deliverer = desk.another_deliverer(delivery_retry_schedule=())
    receiver.answer = lambda number, request: status(500) if number == 1 else OK
    desk.open_tickets("4711")
    desk.pause_and_resume("4711", 1)
    await desk.deliverer.deliver_due()
    states = [each.state for each in desk.deliveries(subscription)]
    assert states == [DeliveryState.PARKED, *[DeliveryState.DELIVERED] * (len(states) - 1)]


async def test_retry_after_applies_to_the_whole_endpoint(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    receiver.answer = lambda number, request: status(429, "Retry-After: 60") if number == 1 else OK
    desk.open_tickets("A")
    await desk.deliverer.deliver_due()
    assert desk.outcomes(subscription) == [("pending", "throttled")]
    desk.open_tickets("B")
    desk.clock.forward(seconds=59)
    assert await desk.deliverer.deliver_due() == 0
    desk.clock.forward(seconds=2)
    assert await desk.deliverer.deliver_due() == 2


async def test_an_endpoint_that_is_gone_is_disabled_at_once_and_a_signal_is_recorded(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    async with Receiver() as other:
        desk.subscribe(other.url, ["subscription.disabled"])
        receiver.answer = lambda number, request: status(410) if number == 1 else OK
        desk.deliverer = desk.another_deliverer(delivery_concurrency=1)
        desk.open_tickets("4711")
        await desk.deliverer.deliver_due()
        (recorded,) = other.signals
    assert (recorded["kind"], recorded["subscription"], recorded["ticket"]) == (
        "subscription.disabled",
        subscription.id,
        None,
    )
    assert recorded == desk.service.signals("subscription.disabled")[0]
    assert desk.find(subscription).state is SubscriptionState.DISABLED
    assert desk.outcomes(subscription)[0] == ("parked", "gone")
    assert set(desk.outcomes(subscription)[1:]) <= {("parked", "switched_off")}
    desk.open_tickets("4712")
    assert await desk.deliverer.deliver_due() == 0


async def test_an_endpoint_that_fails_too_many_times_and_for_too_long_is_disabled(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    receiver.answer = lambda number, request: status(500)
    desk.deliverer = desk.another_deliverer(
        endpoint_max_failures=5, delivery_retry_schedule=(timedelta(days=2),) * 9
    )
    desk.open_tickets("A", "B")
    for _ in range(3):
        await desk.deliverer.deliver_due()
        assert desk.find(subscription).state is SubscriptionState.ACTIVE
        desk.clock.now += 2 * DAY + SECOND
    await desk.deliverer.deliver_due()
    found = desk.find(subscription)
    assert (found.state, "failures in a row over 6.0 days" in (found.disabled_reason or "")) == (
        SubscriptionState.DISABLED,
        True,
    )
    assert len(desk.service.signals("subscription.disabled")) == 1


async def test_one_success_resets_the_health_of_an_endpoint(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    receiver.answer = lambda number, request: OK if number == 3 else status(500)
    desk.open_tickets("A")
    await desk.deliverer.deliver_due()
    assert (desk.find(subscription).failures, desk.find(subscription).failing_since) == (1, desk.clock.now)
    desk.clock.forward(seconds=6)
    await desk.deliverer.deliver_due()
    desk.clock.forward(minutes=6)
    await desk.deliverer.deliver_due()
    assert (desk.find(subscription).failures, desk.find(subscription).failing_since) == (0, None)


async def test_an_endpoint_that_recovers_gets_waiting_retries_at_once(desk: Desk, receiver: Receiver) -> None:
    desk.subscribe(receiver.url)
    desk.deliverer = desk.another_deliverer(
        endpoint_max_failures=3, delivery_retry_schedule=(timedelta(hours=9),) * 9
    )
    receiver.answer = lambda number, request: status(500)
    desk.open_tickets("A", "B", "C")
    await desk.deliverer.deliver_due()
    receiver.answer = lambda number, request: OK
    desk.open_tickets("D")
    await desk.deliverer.deliver_due()
    assert sorted(signal["ticket"] for signal in receiver.signals) == ["A", "A", "B", "B", "C", "C", "D"]


# -- retries -----------------------------------------------------------------------------------------------------


async def test_a_parked_delivery_can_be_retried(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.deliverer = desk.another_deliverer(delivery_retry_schedule=())
    receiver.answer = lambda number, request: OK if number > 1 else status(500)
    desk.open_tickets("4711")
    await desk.deliverer.deliver_due()
    (parked,) = desk.deliveries(subscription, DeliveryState.PARKED)
    desk.database.write_now(lambda conn, now: redelivery.retry(conn, subscription, parked, now))
    assert await desk.deliverer.deliver_due() == 1
    assert desk.outcomes(subscription) == [("delivered", "delivered")]


async def test_retry_since_delivers_what_was_parked_and_what_was_recorded_while_disabled(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    receiver.answer = lambda number, request: status(410)
    desk.open_tickets("before")
    await desk.deliverer.deliver_due()
    desk.clock.forward(minutes=1)
    since = desk.clock.now
    desk.open_tickets("A", "B")
    desk.pause_and_resume("A", 2)
    desk.change(subscription, state=SubscriptionState.ACTIVE)
    again = desk.find(subscription)
    receiver.answer = lambda number, request: OK
    count, more = desk.database.write_now(lambda conn, now: redelivery.retry_since(conn, again, since, now))
    receiver.arrived.clear()
    await desk.deliverer.deliver_due()
    missed = [s["id"] for s in desk.service.signals() if s["ticket"] in ("A", "B")]
    assert (count, more) == (len(missed), False)
    for name in ("A", "B"):
        expected = [s["id"] for s in desk.service.signals() if s["ticket"] == name]
        assert [s["id"] for s in receiver.signals if s["ticket"] == name] == expected
    assert "before" not in {signal["ticket"] for signal in receiver.signals}


async def test_signals_from_before_a_subscription_are_never_sent(desk: Desk, receiver: Receiver) -> None:
    desk.open_tickets("long before")
    desk.clock.forward(minutes=1)
    desk.open_tickets("just before")
    subscription = desk.subscribe(receiver.url, EVERYTHING)  # at the same instant
    desk.clock.forward(minutes=1)
    for since in (0, desk.clock.now):
        recorded = desk.database.write_now(
            lambda conn, now, since=since: redelivery.retry_since(conn, subscription, since, now)
        )
        assert recorded == (0, False)
    assert await desk.deliverer.deliver_due() == 0


async def test_retry_since_keeps_the_order_of_a_ticket(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url, EVERYTHING)
    receiver.answer = lambda number, request: status(500)
    patient, hasty = desk.deliverer, desk.another_deliverer(delivery_retry_schedule=())
    desk.open_tickets("4711")
    await hasty.deliver_due()
    desk.pause_and_resume("4711", 1)
    await patient.deliver_due()  # the first of the new ones has failed and waits
    receiver.answer = lambda number, request: OK
    receiver.arrived.clear()
    desk.database.write_now(lambda conn, now: redelivery.retry_since(conn, subscription, 0, now))
    await patient.deliver_due()
    await hasty.stop()
    assert [signal["id"] for signal in receiver.signals] == desk.stream()


async def test_a_paused_subscription_collects_deliveries_until_it_is_active(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.change(subscription, state=SubscriptionState.PAUSED)
    desk.open_tickets("A", "B")
    assert await desk.deliverer.deliver_due() == 0
    desk.change(subscription, state=SubscriptionState.ACTIVE)
    assert await desk.deliverer.deliver_due() == 2


async def test_a_new_url_gets_at_once_what_the_old_one_did_not_accept(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    await receiver.shut()
    desk.open_tickets("A")
    await desk.deliverer.deliver_due()
    async with Receiver() as other:
        desk.change(subscription, url=other.url)
        await desk.deliverer.deliver_due()
        assert [signal["ticket"] for signal in other.signals] == ["A"]


async def test_both_secrets_sign_during_the_overlap_and_then_only_the_new_one(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    old = subscription.secrets[0].secret
    _, new = desk.database.write_now(
        lambda conn, now: subscribe.replace_secret(conn, subscription, MINUTE, now)
    )
    desk.open_tickets("A")
    await desk.deliverer.deliver_due()
    (arrived,) = receiver.arrived
    assert arrived.verified(old) == arrived.verified(new)
    desk.clock.forward(minutes=2)
    desk.open_tickets("B")
    await desk.deliverer.deliver_due()
    assert receiver.arrived[1].headers["webhook-signature"].count("v1,") == 1
    assert receiver.arrived[1].verified(new)


# -- capacity ----------------------------------------------------------------------------------------------------


def schedule(
    channel: Channel = Channel.WEBHOOK, *, failing: bool = False, due_at: int = 0
) -> EndpointSchedule:
    return EndpointSchedule("sub_1", "haisoft", channel, failing, due_at)


def test_a_healthy_endpoint_is_claimed_ahead_a_failing_one_and_people_are_not() -> None:
    idle, busy = Capacity(8, {}, 64, {}), Capacity(8, {"sub_1": 5}, 64, {})
    webhook, failing, people = schedule(), schedule(failing=True), schedule(Channel.NOTICE)
    assert [idle.free(each) for each in (webhook, failing, people)] == [32, 8, 1]
    assert [busy.free(each) for each in (webhook, failing, people)] == [27, 3, -4]


def test_an_endpoint_without_free_capacity_is_not_due() -> None:
    later = EndpointSchedule("sub_2", "haisoft", Channel.WEBHOOK, is_failing=False, due_at=9)
    assert Capacity(1, {"sub_1": 4}, 64, {}).due_at([schedule(due_at=1), later]) == 9
    assert Capacity(1, {"sub_1": 4}, 64, {}).due_at([schedule(due_at=1)]) is None


def test_the_endpoints_of_one_desk_together_have_a_limit_that_leaves_other_desks_theirs() -> None:
    full = Capacity(8, {}, 64, {"haisoft": 60})
    other = EndpointSchedule("sub_3", "phpnet", Channel.WEBHOOK, is_failing=False, due_at=0)
    assert (full.free(schedule()), full.free(other)) == (4, 32)
    assert full.after({"haisoft": 64}).free(schedule()) == 0


async def test_a_desk_with_more_slow_endpoints_than_its_limit_delays_no_other_desk(
    desk: Desk, receiver: Receiver
) -> None:
    held = asyncio.Event()

    async def slow(number: int, request: Arrived) -> bytes:
        await held.wait()
        return OK

    receiver.answer = slow
    deliverer = desk.another_deliverer(delivery_desk_concurrency=2)
    for _ in range(3):
        desk.subscribe(receiver.url)
    async with Receiver() as other:
        desk.subscribe(other.url, desk="*")
        desk.open_tickets("4711")
        delivering = asyncio.create_task(deliverer.deliver_due())
        await other.until(1)
        await receiver.until(2)
        assert len(receiver.arrived) == 2
        held.set()
        await delivering
    assert len(receiver.arrived) == 3
    await deliverer.stop()


# -- several endpoints, several processes ------------------------------------------------------------------------


async def test_an_endpoint_that_hangs_delays_no_other(desk: Desk, receiver: Receiver) -> None:
    recovered = asyncio.Event()

    async def hang(number: int, request: Arrived) -> bytes:
        await recovered.wait()
        return OK

    desk.deliverer = desk.another_deliverer()
    async with Receiver(answer=lambda number, request: hang(number, request)) as dead:
        subscription = desk.subscribe(dead.url)
        desk.subscribe(receiver.url)
        desk.open_tickets(*(f"T{n}" for n in range(30)))
        delivering = asyncio.create_task(desk.deliverer.deliver_due())
        await receiver.until(30)
        assert desk.deliveries(subscription, DeliveryState.DELIVERED) == []
        assert dead.connections <= desk.settings.delivery_concurrency
        recovered.set()
        assert await delivering == 60


async def test_several_processes_share_deliveries_and_send_nothing_twice(
    desk: Desk, receiver: Receiver
) -> None:
    both = asyncio.Event()

    async def once_both_deliver(number: int, request: Arrived) -> bytes:
        if number > desk.settings.delivery_concurrency:  # more at once than one of them sends
            both.set()
        return await both.wait() and OK

    receiver.answer = once_both_deliver
    desk.subscribe(receiver.url, EVERYTHING)
    names = [f"T{n}" for n in range(100)]
    desk.open_tickets(*names)
    other = desk.another_deliverer()
    counts = await asyncio.gather(desk.deliverer.deliver_due(), other.deliver_due())
    await other.stop()
    assert sum(counts) == len(receiver.arrived) == len(desk.stream())
    assert min(counts) > 0
    for name in names:
        expected = [signal["id"] for signal in desk.service.signals() if signal["ticket"] == name]
        assert [s["id"] for s in receiver.signals if s["ticket"] == name] == expected


async def test_a_process_that_died_delays_its_deliveries_and_loses_none(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.open_tickets("A")
    lease = desk.clock.now + 10 * SECOND
    desk.database.write_now(
        lambda conn, now: deliveries.claim(conn, subscription.id, 8, now, lease, "dead process")
    )
    assert await desk.deliverer.deliver_due() == 0
    desk.clock.forward(seconds=11)
    assert await desk.deliverer.deliver_due() == 1
    assert desk.outcomes(subscription) == [("delivered", "delivered")]


async def test_a_failure_recorded_late_does_not_overwrite_the_success_of_another_process(
    desk: Desk, receiver: Receiver
) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.open_tickets("A")
    late = desk.database.write_now(
        lambda conn, now: deliveries.claim(conn, subscription.id, 8, now, now, "slow process")
    )
    await desk.deliverer.deliver_due()
    failed = [
        deliveries.DeliveryUpdate(each, DeliveryState.PARKED, None, "timeout", "no answer", None)
        for each in late
    ]
    desk.database.write_now(lambda conn, now: deliveries.record(conn, failed, now))
    assert desk.outcomes(subscription) == [("delivered", "delivered")]


async def test_a_running_deliverer_is_woken_by_a_commit(desk: Desk, receiver: Receiver) -> None:
    subscription = desk.subscribe(receiver.url)
    desk.deliverer = desk.another_deliverer(
        delivery_poll_interval=timedelta(hours=1)
    )  # too long to find it by polling
    desk.deliverer.start()
    await asyncio.to_thread(desk.open_tickets, "A")
    delivered = [("delivered", "delivered")]
    await asyncio.to_thread(until, lambda: desk.outcomes(subscription) == delivered)
    assert len(receiver.arrived) == 1
    state = await desk.deliverer.state()
    assert (state.running, state.pending, state.parked, state.failure) == (True, 0, 0, None)


async def test_a_deliverer_that_is_stopped_releases_what_it_had_claimed(
    desk: Desk, receiver: Receiver
) -> None:
    async def hang(number: int, request: Arrived) -> bytes:
        return await asyncio.Event().wait() and OK

    receiver.answer = lambda number, request: hang(number, request)
    subscription = desk.subscribe(receiver.url)
    deliverer = desk.another_deliverer(graceful_timeout=timedelta(0))
    deliverer.start()
    await asyncio.to_thread(desk.open_tickets, "A")
    await receiver.until(1)
    await deliverer.stop()
    (shown,) = desk.deliveries(subscription)
    assert (shown.claim, shown.attempts, shown.next_at) == (None, 0, desk.clock.now)


# -- people ------------------------------------------------------------------------------------------------------


def to_people(desk: Desk, receiver: Receiver) -> tuple[Subscription, Deliverer]:
    url = f"json://127.0.0.1:{receiver.port}/message"
    subscription = desk.subscribe(url, channel=Channel.NOTICE, language="nl")
    return subscription, desk.another_deliverer(notification_schemes=("json",))


async def test_many_signals_are_one_message_to_people(desk: Desk, receiver: Receiver) -> None:
    subscription, deliverer = to_people(desk, receiver)
    desk.open_tickets("first")
    desk.clock.forward(seconds=3)
    desk.open_tickets(*(f"T{n}" for n in range(99)))
    assert await deliverer.deliver_due() == 0  # more may come
    desk.clock.forward(seconds=3)
    assert await deliverer.deliver_due() == 1
    await deliverer.stop()
    (arrived,) = receiver.arrived
    assert arrived.event["title"].startswith("[haisoft] 100 termijnen gestart: first, T0, T1 en nog 97")
    assert arrived.event["message"].splitlines()[-1] == "en nog 90"
    assert set(desk.outcomes(subscription)) == {("delivered", "delivered")}


async def test_people_get_at_most_one_message_a_minute(desk: Desk, receiver: Receiver) -> None:
    _, deliverer = to_people(desk, receiver)
    for name in ("A", "B"):
        desk.open_tickets(name)
        desk.clock.forward(seconds=6)
        await deliverer.deliver_due()
    assert len(receiver.arrived) == 1
    desk.clock.forward(minutes=1)
    await deliverer.deliver_due()
    await deliverer.stop()
    assert len(receiver.arrived) == 2


async def test_a_message_that_was_not_accepted_is_retried(desk: Desk, receiver: Receiver) -> None:
    subscription, deliverer = to_people(desk, receiver)
    receiver.answer = lambda number, request: status(500) if number == 1 else OK
    desk.open_tickets("A", "B")
    desk.clock.forward(seconds=6)
    await deliverer.deliver_due()
    assert set(desk.outcomes(subscription)) == {("pending", "status")}
    desk.clock.forward(minutes=2)
    await deliverer.deliver_due()
    await deliverer.stop()
    assert set(desk.outcomes(subscription)) == {("delivered", "delivered")}


async def test_a_message_has_the_title_the_assignee_and_the_label_in_its_language(
    desk: Desk, receiver: Receiver
) -> None:
    url = f"json://127.0.0.1:{receiver.port}/"
    desk.subscribe(url, channel=Channel.NOTICE, language="fr", omit=("customer",))
    desk.open_tickets("4711", title="Panne de courriel", url="https://desk.example.org/4711")
    desk.service.push(event("e-2", "ticket.updated", "4711", desk.now(), assignee="Ann", group="N2"))
    desk.clock.forward(seconds=6)
    deliverer = desk.another_deliverer(notification_schemes=("json",))
    await deliverer.deliver_due()
    await deliverer.stop()
    (arrived,) = receiver.arrived
    assert arrived.event["title"] == "[haisoft] 4711 Première réponse : démarré - Panne de courriel"
    message = arrived.event["message"]
    assert (
        "assigné\N{NO-BREAK SPACE}: Ann · groupe\N{NO-BREAK SPACE}: N2 · https://desk.example.org/4711"
        in message
    )
    assert "client" not in message


async def test_a_webhook_has_the_details_of_the_ticket_but_those_that_it_leaves_out(
    desk: Desk, receiver: Receiver
) -> None:
    desk.subscribe(receiver.url, omit=("title", "url", "customer"))
    desk.open_tickets("4711", title="Secret", url="https://desk.example.org/4711", assignee="Ann")
    await desk.deliverer.deliver_due()
    (signal,) = receiver.signals
    assert (signal["assignee"], signal["group"]) == ("Ann", None)
    assert not {"title", "url", "customer"} & set(signal)


async def test_a_stored_channel_that_is_refused_now_is_disabled_with_the_reason_and_never_called(
    desk: Desk, receiver: Receiver
) -> None:
    url = f"json://127.0.0.1:{receiver.port}/?template=http://127.0.0.1/"
    subscription, deliverer = to_people(desk, receiver)
    desk.change(subscription, url=url)
    desk.open_tickets("4711")
    desk.clock.forward(seconds=6)
    await deliverer.deliver_due()
    await deliverer.stop()
    assert desk.outcomes(subscription) == [("parked", "refused_channel")]
    found = desk.find(subscription)
    assert found.state is SubscriptionState.DISABLED
    assert "'template'" in (found.disabled_reason or "")
    assert receiver.arrived == []


async def test_doctor_lists_channels_that_were_stored_before_they_were_refused(desk: Desk) -> None:
    stored = desk.subscribe("mailtos://u:p@example.org?verify=no", channel=Channel.NOTICE)
    desk.subscribe("mailtos://u:p@example.org", channel=Channel.NOTICE)
    checks = desk.database.read_now(
        lambda conn: list(run_checks(conn, desk.service.assessor.catalogue, desk.clock.now))
    )
    (found,) = [each for each in checks if each.name == "channels to people are allowed"]
    assert found.verdict is Verdict.WARNING
    assert found.detail.startswith("1 subscriptions have")
    assert stored.id in found.detail
    assert "'verify'" in found.detail
