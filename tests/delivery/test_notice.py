"""What people read, and what a message may lead to."""

from ipaddress import ip_network
from typing import Any

import pytest

from app.delivery.address import FaultyUrl, Gate
from app.delivery.notice import _TOLD, Language, Notice, notice
from app.delivery.outcome import Outcome
from app.delivery.people import Messenger, masked
from app.flow.subscribe import KINDS
from tests.receiver import Receiver, status

BREACH: dict[str, Any] = {
    "kind": "clock.breached",
    "desk": "haisoft",
    "ticket": "4711",
    "commitment": "ticket-response",
    "clock": {
        "label": "Response to a ticket",
        "due_at": "2026-03-06T15:00:00Z",
        "calendar_local_due": "2026-03-06T16:00:00+01:00",
    },
}
SCHEMES = frozenset({"json", "mailto", "slack"})


def test_a_line_tells_ticket_promise_what_happened_and_by_when_on_the_desks_clock() -> None:
    assert notice([BREACH], "en") == Notice(
        "haisoft: breached", "4711 Response to a ticket: breached (due 2026-03-06 16:00 UTC+01:00)"
    )


@pytest.mark.parametrize("language", Language)
def test_every_kind_has_words_in_every_language(language: Language) -> None:
    for kind in KINDS:
        told = notice([BREACH | {"kind": kind}], language)
        assert kind not in told.title
        assert "4711" in told.text
    assert {len(words) for words in _TOLD.values()} == {len(Language)}


def test_a_storm_is_one_message_that_shows_ten_and_counts_the_rest() -> None:
    signals = [BREACH | {"ticket": f"T{n}"} for n in range(100)] + [BREACH | {"kind": "clock.warned"}]
    told = notice(signals, "fr")
    assert told.title == "haisoft: 100 x délai dépassé, bientôt à échéance"
    lines = told.text.splitlines()
    assert (len(lines), lines[0].startswith("T0 "), lines[-1]) == (11, True, "et 91 de plus")


def test_what_has_no_clock_is_told_by_its_queue_or_its_reason() -> None:
    moved = {"kind": "queue.moved", "desk": "d", "ticket": "1", "queue": "tickets", "clock": None}
    off = {"kind": "subscription.disabled", "desk": "d", "ticket": None, "reason": "410", "clock": None}
    assert notice([moved], "en").text == "1 tickets: moved in the queue"
    assert notice([off], "en").text == "410: deliveries switched off"


async def send(url: str, *, allowed: str = "127.0.0.1/32") -> Any:
    messenger = Messenger(Gate((ip_network(allowed),)), SCHEMES, 5)
    attempt = await messenger.send(url, Notice("a title", "a text"))
    messenger.close()
    return attempt


async def test_a_message_reaches_the_service_that_its_url_names() -> None:
    async with Receiver() as receiver:
        attempt = await send(f"json://127.0.0.1:{receiver.port}/told")
        assert attempt.outcome is Outcome.DELIVERED
        (arrived,) = receiver.arrived
        assert (arrived.event["title"], arrived.event["message"]) == ("a title", "a text")


async def test_a_service_that_does_not_take_it_is_a_failure() -> None:
    async with Receiver(answer=lambda number, request: status(500)) as receiver:
        assert (await send(f"json://127.0.0.1:{receiver.port}/")).outcome is Outcome.UNSENT


@pytest.mark.parametrize(
    "url", ["json://localhost:9/", "mailto://u:p@example.org?smtp=127.0.0.1&to=a@example.org"]
)
async def test_a_server_that_the_url_names_is_judged_like_a_webhooks(url: str) -> None:
    attempt = await send(url, allowed="10.0.0.0/8")
    assert (attempt.outcome, "this machine" in attempt.reason or "::1" in attempt.reason) == (
        Outcome.REFUSED_ADDRESS,
        True,
    )


@pytest.mark.parametrize("url", ["dbus://", "xml://127.0.0.1/", "slack://", "nonsense", "json://"])
def test_a_channel_that_is_not_listed_or_says_nothing_is_refused(url: str) -> None:
    with pytest.raises(FaultyUrl):
        Messenger(Gate(), SCHEMES, 5).check(url)


def test_a_channels_secrets_are_masked() -> None:
    shown = masked("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", SCHEMES)
    assert shown.startswith("slack://")
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in shown
    assert masked("dbus://secret", SCHEMES) == "dbus://…"
