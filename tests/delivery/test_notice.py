"""Messages to people: their text, and where they may be sent."""

import logging
import re
from ipaddress import ip_network
from typing import Any

import pytest
from apprise import Apprise

from app.delivery.address import AddressPolicy, FaultyUrl
from app.delivery.messenger import Messenger, channel, masked
from app.delivery.notice import _PHRASES, Language, Notice, notice
from app.delivery.outcome import DeliveryOutcome
from app.delivery.recipients import recipients
from app.flow.outbound.subscribe import KINDS
from app.settings import Settings
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


def test_a_line_has_ticket_commitment_what_happened_and_the_local_due_date() -> None:
    assert notice([BREACH], "en") == Notice(
        "haisoft: breached", "4711 Response to a ticket: breached (due 2026-03-06 16:00 UTC+01:00)"
    )


@pytest.mark.parametrize("language", Language)
def test_every_kind_has_words_in_every_language(language: Language) -> None:
    for kind in KINDS:
        recorded = notice([BREACH | {"kind": kind}], language)
        assert kind not in recorded.title
        assert "4711" in recorded.text
    assert {len(words) for words in _PHRASES.values()} == {len(Language)}


def test_many_signals_are_one_message_that_shows_ten_and_counts_the_rest() -> None:
    signals = [BREACH | {"ticket": f"T{n}"} for n in range(100)] + [BREACH | {"kind": "clock.warned"}]
    recorded = notice(signals, "fr")
    assert recorded.title == "haisoft: 100 x délai dépassé, bientôt à échéance"
    lines = recorded.text.splitlines()
    assert (len(lines), lines[0].startswith("T0 "), lines[-1]) == (11, True, "et 91 de plus")


def test_a_signal_without_a_clock_is_described_by_its_queue_or_its_reason() -> None:
    moved = {"kind": "queue.moved", "desk": "d", "ticket": "1", "queue": "tickets", "clock": None}
    off = {"kind": "subscription.disabled", "desk": "d", "ticket": None, "reason": "410", "clock": None}
    assert notice([moved], "en").text == "1 tickets: moved in the queue"
    assert notice([off], "en").text == "410: deliveries disabled"


async def send(url: str, *, allowed: str = "127.0.0.1/32") -> Any:
    messenger = Messenger(AddressPolicy((ip_network(allowed),)), SCHEMES, 5)
    attempt = await messenger.send(url, Notice("a title", "a text"))
    messenger.close()
    return attempt


async def test_a_message_reaches_the_service_that_its_url_names() -> None:
    async with Receiver() as receiver:
        attempt = await send(f"json://127.0.0.1:{receiver.port}/message")
        assert attempt.outcome is DeliveryOutcome.DELIVERED
        (arrived,) = receiver.arrived
        assert (arrived.event["title"], arrived.event["message"]) == ("a title", "a text")


async def test_a_service_that_does_not_accept_the_message_is_a_failure() -> None:
    async with Receiver(answer=lambda number, request: status(500)) as receiver:
        assert (await send(f"json://127.0.0.1:{receiver.port}/")).outcome is DeliveryOutcome.UNSENT


@pytest.mark.parametrize(
    "url", ["json://localhost:9/", "mailto://u:p@example.org?smtp=127.0.0.1&to=a@example.org"]
)
async def test_a_server_that_the_url_names_is_checked_by_the_address_policy(url: str) -> None:
    attempt = await send(url, allowed="10.0.0.0/8")
    assert (attempt.outcome, "loopback" in attempt.reason or "::1" in attempt.reason) == (
        DeliveryOutcome.REFUSED_ADDRESS,
        True,
    )


@pytest.mark.parametrize("url", ["dbus://", "xml://127.0.0.1/", "slack://", "nonsense", "json://"])
def test_a_scheme_that_is_not_allowed_and_an_invalid_url_are_refused(url: str) -> None:
    with pytest.raises(FaultyUrl):
        Messenger(AddressPolicy(), SCHEMES, 5).check(url)


SENDER = "mailto://ops:word@example.org"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"{SENDER}/nobody", "nobody"),
        (f"{SENDER}/a@example.org/nobody", "nobody"),
        (f"{SENDER}?to=nobody", "nobody"),
        (f"{SENDER}?to=a@example.org,nobody", "nobody"),
        (f"{SENDER}?to=nobody%20a@example.org", "nobody"),
        (f"{SENDER}?to=a@example.org,b@example", "b@example"),
        (f"{SENDER}?to=a@example.org;b@example.org", "b@example.org"),
        (f"{SENDER}?to=a@example.org&to=b@example.org", "a@example.org"),
        (f"{SENDER}?to=a@example.org&cc=b@example.org,nobody", "nobody"),
        (f"{SENDER}?to=a@example.org&bcc=nobody", "nobody"),
        (f"{SENDER}?to=a@example.org&reply=nobody", "nobody"),
        (f"{SENDER}?too=a@example.org", "a@example.org"),
        (f"{SENDER}/a@example.org#b@example.org", "b@example.org"),
        (f"{SENDER}?to=o'brien@example.org", "o'"),
        (f"{SENDER}?to=béa@example.org", "béa@example.org"),
        ("mailgun://ops@example.org/0123456789abcdef-key/a@example.org,nobody", "nobody"),
        ("sendgrid://key:ops@example.org/a@example.org/nobody", "nobody"),
    ],
)
def test_a_url_with_a_recipient_that_apprise_ignores_is_refused(url: str, named: str) -> None:
    with pytest.raises(FaultyUrl) as caught:
        messenger().check(url)
    assert f"names {named!r}, who would get no mail" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (SENDER, "ops"),
        (f"{SENDER}/a@example.org/b@example.org", "a b"),
        (f"{SENDER}?to=a@example.org,%20b@example.org&cc=C@Example.org&bcc=d@example.org", "a b c d"),
        (f"{SENDER}?to=a%2Bsla@example.org&reply=desk@example.org&from=other@example.com", "a+sla desk"),
        (f'{SENDER}?to=Ann<a@example.org>,"Lee, Bob"%20<b@example.org>', "a b"),
        (f"{SENDER}/Ann:a@example.org?smtp=mail.example.com&+X-To=nobody@example.org", "a"),
        ("mailto://example.org?user=ops&pass=w@rd&to=a@example.org", "a"),
        ("mailgun://ops@example.org/0123456789abcdef-key/a@example.org?to=b@example.org", "a b"),
    ],
)
def test_all_ways_of_writing_recipients_are_read(url: str, names: str) -> None:
    messenger().check(url)
    taken = recipients(channel(url, SCHEMES | {"mailgun"}))
    assert taken == {f"{name}@example.org" for name in names.split()}


@pytest.mark.parametrize(
    ("url", "reported"),
    [
        ("twilio://AC{0}:{0}@15551231234/15551231235/abc".format("0123456789abcdef" * 2), "phone # (abc)"),
        ("tgram://123456789:abcdefg_hijklmnop/lead/!!/", "chat/group (!!)"),
    ],
)
def test_parts_of_a_url_that_apprise_ignores_are_reported_and_not_only_logged(
    url: str, reported: str, caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # whatever the service logs
    try:
        with pytest.raises(FaultyUrl, match=re.escape(reported)):
            messenger().check(url)
    finally:
        logging.getLogger().setLevel(level)
    assert caplog.records == []


def messenger() -> Messenger:
    return Messenger(AddressPolicy(), SCHEMES | {"mailgun", "sendgrid", "tgram", "twilio"}, 5)


def test_a_channels_secrets_are_masked() -> None:
    shown = masked("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", SCHEMES)
    assert shown.startswith("slack://")
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in shown
    assert masked("dbus://secret", SCHEMES) == "dbus://…"


@pytest.mark.parametrize("scheme", Settings().notice_schemes)
def test_every_kind_of_channel_that_is_allowed_is_there(scheme: str) -> None:
    known = [kind for kind in Apprise().details()["schemas"] if isinstance(kind, dict)]
    assert any(scheme in {*(kind["protocols"] or ()), *(kind["secure_protocols"] or ())} for kind in known), (
        scheme
    )
