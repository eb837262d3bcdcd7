"""Chat and paging: the request that each vendor documents, and what a URL may not ask for."""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from app.delivery.address import AddressPolicy, FaultyUrl
from app.delivery.channels.chat import KINDS, ChatTarget
from app.delivery.client import Client, Limits
from app.delivery.messenger import CHANNELS, MessageLimits, Messenger, masked, target_of
from app.delivery.notice import Line, Notice, Severity
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.resolver import ACTING_DESK, Resolver
from app.settings import Settings
from tests.receiver import Receiver, status
from tests.service import at
from tests.waiting import HANG

NOW = at("2026-03-06T16:00:00+01:00")
MESSAGE = Notice(
    "[d] 1 breach", (Line(("4711", "<a> & b"), "https://desk.example.org/1"),), Severity.BREACH, "sig_1"
)
TEXT = "4711 · <a> & b · https://desk.example.org/1"
LOOPBACK = (ip_network("127.0.0.1/32"),)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


def requests(url: str) -> list[Any]:
    found = target_of(url, frozenset(CHANNELS), 50)
    assert isinstance(found, ChatTarget)
    return list(found.requests(MESSAGE))


def body(url: str) -> Any:
    (request,) = requests(url)
    return orjson.loads(request.body)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mailtos://10.0.0.7?from=a@example.org", "private"),
        ("mailtos://0xa9fea9fe?from=a@example.org", "link-local"),
        ("mailtos://example.org?smtp=2852039166&from=a@example.org", "link-local"),
        ("mailtos://1.2.3.4.5?from=a@example.org", "neither a name nor an IP address"),
        ("jsons://192.168.1/hook", "private"),
        ("json://1.1.1.1/hook", "https only"),
        ("json://[::1]/hook", "loopback"),
        ("mailtos://mail.internal?from=a@example.org", None),
        ("mailto://127.1?from=a@example.org", None),
        ("json://127.0.0.1/hook", None),
        ("slack://T1/B1/abc", None),
    ],
)
async def test_a_channel_to_an_address_that_is_not_allowed_is_refused_when_it_is_checked(
    url: str, why: str | None
) -> None:
    client = Client(AddressPolicy(LOOPBACK), Limits(HANG, HANG, 1_000))
    messenger = Messenger(client, CHANNELS, MessageLimits(50, 4))
    try:
        with nullcontext() if why is None else pytest.raises(FaultyUrl, match=why):
            messenger.check(url)
    finally:
        messenger.close()
        await client.close()


async def send(url: str, schemes: frozenset[str] = frozenset({"json"})) -> Attempt:
    client = Client(AddressPolicy(LOOPBACK), Limits(HANG, HANG, 1_000))
    messenger = Messenger(client, schemes, MessageLimits(50, 4))
    try:
        return await messenger.send(url, MESSAGE, NOW)
    finally:
        messenger.close()
        await client.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("slack://T1/B2/C3", "https://hooks.slack.com/services/T1/B2/C3"),
        ("discord://123/tok-EN_1", "https://discord.com/api/webhooks/123/tok-EN_1"),
        ("gchat://AAA/key/tok", "https://chat.googleapis.com/v1/spaces/AAA/messages?key=key&token=tok"),
        ("tgram://123:ab-c/-100200", "https://api.telegram.org/bot123:ab-c/sendMessage"),
        ("wxteams://tok", "https://webexapis.com/v1/webhooks/incoming/tok"),
        ("pagerduty://r@k", "https://events.pagerduty.com/v2/enqueue"),
        ("pagerduty://r@k/src?region=eu", "https://events.eu.pagerduty.com/v2/enqueue"),
        ("opsgenie://key?region=eu", "https://api.eu.opsgenie.com/v2/alerts"),
        ("pover://u@t", "https://api.pushover.net/1/messages.json"),
        ("signl4://secret", "https://connect.signl4.com/webhook/secret/"),
        (
            "twilio://AC1:pw@15551231234/15551231235",
            "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
        ),
        (
            "workflows://prod-1.westeurope.logic.azure.com:443/W1/S2",
            "https://prod-1.westeurope.logic.azure.com/workflows/W1/triggers/manual/paths/invoke"
            "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=S2",
        ),
        ("jsons://gateway.example.org:8443/a/b", "https://gateway.example.org:8443/a/b"),
    ],
)
def test_each_kind_posts_to_the_address_that_its_vendor_documents(url: str, address: str) -> None:
    assert [request.url for request in requests(url)] == [address]


def test_what_chat_services_would_interpret_is_escaped() -> None:
    assert body("slack://T1/B2/C3")["text"].splitlines()[1].startswith("4711 · &lt;a&gt; &amp; b · <https://")
    discord = body("discord://1/2")
    assert discord["allowed_mentions"] == {"parse": []}
    assert r"\<a\> & b" in discord["embeds"][0]["description"]
    assert "parse_mode" not in body("tgram://1:a/chat")
    assert "(a) & b" in body("gchat://A/k/t")["text"]
    card = body("workflows://x.logic.azure.com/W/S")["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


def test_services_get_the_severity_and_the_key_by_which_they_group() -> None:
    event = body("pagerduty://r@k/mail/relay")
    assert (event["payload"]["severity"], event["dedup_key"], event["routing_key"]) == (
        "critical",
        "sig_1",
        "r",
    )
    assert (event["payload"]["source"], event["payload"]["component"]) == ("mail", "relay")
    assert (body("opsgenie://k")["priority"], body("opsgenie://k")["alias"]) == ("P1", "sig_1")
    assert body("jsons://h/")["type"] == "failure"
    assert body("signl4://s")["X-S4-ExternalID"] == "sig_1"


def test_several_chats_or_phones_get_a_request_each() -> None:
    assert [orjson.loads(each.body)["chat_id"] for each in requests("tgram://1:a/x/-5")] == ["@x", "-5"]
    texts = [
        parse_qs(each.body.decode()) for each in requests("twilio://A:p@15551230000/15551230001/15551230002")
    ]
    assert [each["To"] for each in texts] == [["+15551230001"], ["+15551230002"]]


@pytest.mark.parametrize("scheme", [each for each in KINDS if not each.startswith("json")])
@pytest.mark.parametrize(
    "asked",
    [
        "template=http://127.0.0.1/",
        "verify=no",
        "+X-Header=v",
        "-a=b",
        ":a=b",
        "attach=/etc/passwd",
        "redirect=yes",
    ],
)
def test_no_kind_takes_a_parameter_that_it_does_not_document(scheme: str, asked: str) -> None:
    with pytest.raises(FaultyUrl, match="has a parameter that"):
        target_of(f"{scheme}://a.logic.azure.com/b/c?{asked}", frozenset(CHANNELS), 50)


@pytest.mark.parametrize(
    "url",
    [
        "slack://",
        "slack://T1/B2",
        "slack://bot@T1/B2/C3",
        "slack://xoxb-1-2/#general",
        "slack://T1/..%2F..%2F/C3",
        "slack://T1/B2/C3%0d%0a",
        "workflows://evil.example.org/W/S",
        "workflows://logic.azure.com.evil.example.org/W/S",
        "workflows://a.logic.azure.com:8080/W/S",
        "discord://1/2%3F",
        "tgram://1:a",
        "tgram://123:a/lead/!!/",
        "twilio://A:p@15551230000/abc",
        "pagerduty://r@k?region=mars",
        "json://",
        "dbus://",
        "nonsense",
        "syslog://127.0.0.1",
        "",
    ],
)
def test_a_url_that_is_no_channel_or_only_in_part_is_refused(url: str) -> None:
    with pytest.raises(FaultyUrl):
        target_of(url, frozenset(CHANNELS), 50)


def test_a_refusal_names_what_is_allowed_or_what_to_use_instead() -> None:
    with pytest.raises(FaultyUrl, match="allowed are: mailtos, slack"):
        target_of("tgram://1:a/b", frozenset({"mailtos", "slack", "dbus"}), 50)
    with pytest.raises(FaultyUrl, match="SMTP server"):
        target_of("sendgrid://key:ops@example.org/a@example.org", frozenset(CHANNELS), 50)


async def test_a_message_reaches_the_service_that_its_url_names(receiver: Receiver) -> None:
    attempt = await send(f"json://127.0.0.1:{receiver.port}/message")
    assert attempt.outcome is DeliveryOutcome.DELIVERED
    (arrived,) = receiver.arrived
    assert (arrived.event["title"], arrived.event["message"]) == ("[d] 1 breach", TEXT)


async def test_a_redirect_is_not_followed_and_a_proxy_of_the_environment_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as elsewhere:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{elsewhere.port}")
        receiver.answer = lambda number, request: status(307, f"Location: {elsewhere.url}")
        attempt = await send(f"json://127.0.0.1:{receiver.port}/")
        assert (attempt.outcome, len(receiver.arrived), elsewhere.arrived) == (
            DeliveryOutcome.REDIRECT,
            1,
            [],
        )


async def test_the_answer_of_a_vendor_is_part_of_the_reason_and_that_of_any_other_server_is_not(
    receiver: Receiver,
) -> None:
    secret = b"HTTP/1.1 403 No\r\nContent-Length: 15\r\n\r\nchannel\x1b unknown"
    receiver.answer = lambda number, request: secret
    client = Client(AddressPolicy(LOOPBACK), Limits(HANG, HANG, 1_000))
    explained = await client.post(receiver.url, {}, b"{}", NOW, explain=True)
    await client.close()
    assert explained.reason == "answered 403 Forbidden: channel unknow"
    assert (await send(f"json://127.0.0.1:{receiver.port}/")).reason == "answered 403 Forbidden"


async def test_a_stored_channel_that_is_allowed_no_more_is_never_tried(receiver: Receiver) -> None:
    attempt = await send(f"json://127.0.0.1:{receiver.port}/?verify=no")
    assert attempt.outcome is DeliveryOutcome.REFUSED_CHANNEL
    assert "'verify'" in attempt.reason
    assert receiver.arrived == []


async def test_names_that_hang_use_up_the_look_ups_of_their_own_desk_only() -> None:
    resolver = Resolver(threads=2, share=1)
    share = resolver._shares["full"]
    await share.acquire()  # a look-up of this desk that does not end
    ACTING_DESK.set("other")
    assert "127.0.0.1" in await resolver("localhost", 80)
    ACTING_DESK.set("full")
    assert await resolver("192.0.2.1", 80) == ["192.0.2.1"]  # an address needs no look-up
    share.release()
    assert await resolver("localhost", 81)
    resolver.close()


def test_secrets_are_masked() -> None:
    shown = masked("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", frozenset({"slack"}), 50)
    assert shown == "slack://…/#general"
    assert masked("dbus://secret", frozenset({"slack"}), 50) == "dbus://…"


def test_every_kind_that_is_allowed_by_default_is_there_and_none_reaches_any_host() -> None:
    default = set(Settings().notification_schemes)
    assert default <= CHANNELS
    assert not default & {"json", "jsons"}
