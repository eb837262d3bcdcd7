"""Mail: who gets it, what is in it, and the server's own words when it is refused."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest

import app.delivery
from app.delivery.address import AddressPolicy, FaultyUrl
from app.delivery.channels.mail import MailTarget
from app.delivery.client import Client, Limits
from app.delivery.messenger import MAIL, MessageLimits, Messenger, target_of
from app.delivery.notice import Line, Notice, Severity
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.resolver import Resolve
from tests.delivery.mail_server import MailServer
from tests.service import at
from tests.waiting import HANG

DELIVERY = Path(app.delivery.__file__).parent
NOW = at("2026-03-06T16:00:00+01:00")
SENDER = "mailto://ops:word@example.org"
MESSAGE = Notice(
    "[haisoft] 4711: breached", (Line(("4711", "a < b"), "https://desk.example.org/4711"),), key="sig_1"
)


def target(url: str, recipients: int = 50) -> MailTarget:
    found = target_of(url, MAIL, recipients)
    assert isinstance(found, MailTarget)
    return found


async def send(
    url: str,
    message: Notice = MESSAGE,
    *,
    allowed: str = "127.0.0.1/32",
    resolve: Resolve | None = None,
    total: float = HANG,
) -> Attempt:
    client = Client(AddressPolicy((ip_network(allowed),)), Limits(HANG, total, 1_000), resolve=resolve)
    messenger = Messenger(client, MAIL, MessageLimits(50, 4))
    try:
        return await messenger.send(url, message, NOW)
    finally:
        messenger.close()
        await client.close()


async def test_a_mail_has_a_text_and_an_html_part_and_says_what_it_is() -> None:
    async with MailServer() as server:
        url = f"mailto://127.0.0.1:{server.port}?from=desk@example.org&name=SLA&to=Ann<ann@example.org>"
        attempt = await send(f"{url}&cc=bob@example.org&bcc=eve@example.org&reply=help@example.org")
        assert attempt == Attempt(DeliveryOutcome.DELIVERED, "accepted by the mail server")
        (mail,) = server.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == (
        "[haisoft] 4711: breached",
        "SLA <desk@example.org>",
        "Ann <ann@example.org>",
    )
    assert (mail["Cc"], mail["Bcc"], mail["Reply-To"]) == ("bob@example.org", None, "help@example.org")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<sig_1@example.org>", "auto-generated")
    text, html = mail.iter_parts()
    assert text.get_content().strip() == "4711 · a < b · https://desk.example.org/4711"
    assert "4711 · a &lt; b · <a href=" in html.get_content()
    sent_to = [each for each in server.commands if each.upper().startswith("RCPT")]
    assert [each.partition("<")[2].partition(">")[0] for each in sent_to] == [
        "ann@example.org",
        "bob@example.org",
        "eve@example.org",
    ]


async def test_only_a_breach_is_marked_as_important() -> None:
    async with MailServer() as server:
        for severity in (Severity.BREACH, Severity.WARNING):
            await send(f"mailto://127.0.0.1:{server.port}?from=a@example.org", Notice("s", (), severity))
        assert [mail["Importance"] for mail in server.mails] == ["high", None]


@pytest.mark.parametrize(
    ("command", "answer", "said"),
    [
        ("RCPT", "550 5.1.1 no such user here", "550 5.1.1 no such user here"),
        ("MAIL", "452 4.3.1 mailbox full", "452 4.3.1 mailbox full"),
        ("DATA", "554 5.7.1 \x1b[31mspam\u202e " + "x" * 400, "554 5.7.1 [31mspam x"),
        ("greeting", "421 too busy", "421 too busy"),
    ],
)
async def test_a_refusal_has_the_code_and_the_words_of_the_mail_server(
    command: str, answer: str, said: str
) -> None:
    async with MailServer({command: answer}) as server:
        attempt = await send(f"mailto://127.0.0.1:{server.port}?from=a@example.org&to=b@example.org")
    assert attempt.outcome is DeliveryOutcome.UNSENT
    assert said in attempt.reason
    assert len(attempt.reason) < 700
    assert attempt.reason.isprintable()


async def test_a_recipient_that_is_refused_beside_others_is_named() -> None:
    async with MailServer({"RCPT TO:<bob": "550 gone"}) as server:
        attempt = await send(
            f"mailto://127.0.0.1:{server.port}?from=a@example.org&to=ann@example.org,bob@example.org"
        )
    assert attempt.delivered
    assert attempt.reason == "accepted, but not for bob@example.org (550 gone)"


async def test_a_server_that_says_nothing_ends_in_a_timeout_and_frees_its_thread() -> None:
    async with MailServer(silent=True) as server:
        attempt = await send(f"mailto://127.0.0.1:{server.port}?from=a@example.org", total=0.3)
    assert attempt.outcome is DeliveryOutcome.TIMEOUT


async def test_outside_of_allowed_networks_a_mail_is_sent_with_tls_only() -> None:
    async with MailServer() as server:
        attempt = await send(f"mailtos://127.0.0.1:{server.port}?from=a@example.org")
        assert attempt.outcome is DeliveryOutcome.BROKEN
        assert "STARTTLS" in attempt.reason
        assert server.mails == []


async def test_a_certificate_that_is_not_trusted_ends_the_attempt() -> None:
    async with MailServer() as server:
        attempt = await send(f"mailtos://127.0.0.1:{server.port}?from=a@example.org&mode=ssl")
        assert attempt.outcome is DeliveryOutcome.TLS


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def changing(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async with MailServer() as server:
        url = f"mailto://mail.example.org:{server.port}?from=a@example.org"
        assert (await send(url, resolve=changing)).delivered
    assert answers == [["10.0.0.1"]]


@pytest.mark.parametrize("addresses", [["10.0.0.7"], ["169.254.169.254"], ["127.0.0.1", "192.168.0.1"]])
async def test_a_name_that_leads_inside_is_refused_without_saying_where_it_leads(
    addresses: list[str],
) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return addresses

    attempt = await send("mailtos://mail.internal?from=a@example.org&to=b@example.org", resolve=inside)
    assert attempt.outcome is DeliveryOutcome.DNS
    assert not any(address in attempt.reason for address in addresses)
    assert "private" not in attempt.reason


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"{SENDER}/bob", "bob"),
        (f"{SENDER}/a@example.org/bob", "bob"),
        (f"{SENDER}?to=bob", "bob"),
        (f"{SENDER}?to=a@example.org,bob", "bob"),
        (f"{SENDER}?to=bob%20a@example.org", "bob a@example.org"),
        (f"{SENDER}?to=a@example.org,b@example", "b@example"),
        (f"{SENDER}?to=a@example.org;b@example.org", "a@example.org;b@example.org"),
        (f"{SENDER}?to=a@example.org&cc=b@example.org,bob", "bob"),
        (f"{SENDER}?to=a@example.org&bcc=bob", "bob"),
        (f"{SENDER}?to=a@example.org&reply=bob", "bob"),
        (f"{SENDER}?to=béa@example.org", "béa@example.org"),
        (f"{SENDER}?to=a@b@example.org", "a@b@example.org"),
        (f"{SENDER}?to=a@example..org", "a@example..org"),
    ],
)
def test_a_word_that_is_no_address_in_a_place_for_recipients_is_refused(url: str, named: str) -> None:
    with pytest.raises(FaultyUrl) as caught:
        target(url)
    assert f"names {named!r}, who would get no mail" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("?template=http://127.0.0.1/", "'template'"),
        ("?verify=no", "'verify'"),
        ("?+X-Header=v", "'+x-header'"),
        ("?-key=v", "'-key'"),
        ("?attach=/etc/passwd", "'attach'"),
        ("?too=a@example.org", "'too'"),
        ("?to=a@example.org&to=b@example.org", "twice"),
        ("?mode=insecure", "mode"),
        ("?to=a@example.org#b@example.org", "%23"),
        ("?to=a@example.org%0d%0aBcc:eve@example.org", "line break"),
        ("?smtp=mail.example.org%0d%0aRSET", "line break"),
        ("?smtp=mail.example.org/x", "mail server"),
        ("?to=" + ",".join(f"u{n}@example.org" for n in range(51)), "more than 50"),
        ('?to="Lee <b@example.org>', "quotation mark"),
        ("?from=a@example.org,b@example.org", "one sender"),
    ],
)
def test_what_a_mail_url_may_not_have_is_refused_with_the_reason(given: str, why: str) -> None:
    with pytest.raises(FaultyUrl) as caught:
        target(f"{SENDER}{given}")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (SENDER, "ops"),
        (f"{SENDER}/a@example.org/b@example.org", "a b"),
        (f"{SENDER}?to=a@example.org,%20b@example.org&cc=C@example.org&bcc=d@example.org", "a b C d"),
        (f"{SENDER}?to=a%2Bsla@example.org&from=other@example.com", "a+sla"),
        (f'{SENDER}?to=Ann<a@example.org>,"Lee, Bob"%20<b@example.org>', "a b"),
        (f"{SENDER}/Ann:a@example.org?smtp=mail.example.com", "a"),
        (f"{SENDER}?to=o'brien@example.org", "o'brien"),
        ("mailto://example.org?user=ops&pass=w@rd&to=a@example.org", "a"),
    ],
)
def test_all_ways_of_writing_recipients_are_read(url: str, names: str) -> None:
    assert target(url).recipients == [f"{name}@example.org" for name in names.split()]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("mailtos://ann:w@gmail.com", ("smtp.gmail.com", 587, "ann@gmail.com", False)),
        ("mailtos://ann:w@example.org:465", ("example.org", 465, "ann", True)),
        (
            "mailtos://ann:w@example.org?smtp=Relay.example.org&mode=ssl",
            ("relay.example.org", 465, "ann", True),
        ),
    ],
)
def test_the_server_is_the_named_one_or_that_of_the_provider(
    url: str, server: tuple[str, int, str, bool]
) -> None:
    found = target(url).server
    assert (found.host, found.port_for(tls=True), found.user, found.implicit_tls) == server


def test_a_mail_url_is_shown_without_its_credentials() -> None:
    assert target(f"{SENDER}?to=a@example.org").shown == "mailto://example.org/?to=a@example.org"


def test_nothing_that_reads_a_channel_or_a_ticket_has_a_pattern_that_could_explode() -> None:
    """One pass over a bounded text instead: a URL of twenty thousand letters once took a minute."""
    for path in (DELIVERY / "clean.py", DELIVERY / "notice.py", *(DELIVERY / "channels").glob("*.py")):
        assert not re.search(
            r"^(import re|from re import)", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path


def test_an_endless_url_is_refused_before_it_is_read() -> None:
    with pytest.raises(FaultyUrl, match="longer than"):
        target(f"{SENDER}?to={'a' * 20_000}")
